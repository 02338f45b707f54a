"""What dies under an import costs retries, and no answer: everything is stored, understood and told."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from tests.e2e.harness import Row, RunningStack
from tests.e2e.pictures import enlarged, now, save, sources

pytestmark = pytest.mark.timeout(900)

COUNT = 24
BEGUN = 4
GRANT = "CLOUD_PROCESSING"
PATIENCE_SECONDS = 300.0


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    pictures = list(sources().values())
    for number in range(COUNT):
        picture = enlarged(pictures[number % len(pictures)].rotate(90 * (number // len(pictures)), expand=True))
        save(folder / f"{number:02d}.jpg", picture, now() - timedelta(hours=number))
    return folder


def begin(stack: RunningStack, folder: Path, subject: str) -> "subprocess.Popen[str]":
    return stack.start("import", str(folder), "--subject", subject, "--grant", GRANT, "--wait", "--json")


def end(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Row], str]:
    output, errors = process.communicate(timeout=600)
    rows: list[Row] = [json.loads(line) for line in output.splitlines()]
    return process.returncode, {str(row["file"]): row for row in rows if "file" in row}, output + errors


def until(holds: Callable[[], bool]) -> None:
    over = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < over
        time.sleep(0.05)


def stored(stack: RunningStack, subject: str) -> int:
    ((count,),) = stack.select("ingest", "SELECT count(*) FROM media WHERE subject = %s", stack.pseudonym(subject))
    return int(str(count))


def send(stack: RunningStack, name: str, number: signal.Signals) -> None:
    process = next(part.process for part in stack.state.parts if part.part == name)
    assert process is not None
    os.killpg(process.pid, number)


def ready(stack: RunningStack) -> bool:
    return all(part.ready for part in stack.state.parts)


@pytest.mark.parametrize("part", ["postgres", "ingest", "analysis", "suggestion"])
def test_an_import_gets_all_its_answers_although_a_part_dies_in_the_middle(
    stack: RunningStack, photos: Path, part: str
) -> None:
    subject = f"outlives-{part}"
    importing = begin(stack, photos, subject)
    until(lambda: stored(stack, subject) >= BEGUN)
    send(stack, part, signal.SIGKILL)
    status, answers, said = end(importing)
    assert status == 0, said
    assert {row["outcome"] for row in answers.values()} == {"stored"}
    assert len(answers) == COUNT
    assert len(stack.findings(subject)) == COUNT
    until(lambda: ready(stack))


def test_photos_are_understood_although_the_bus_lost_its_disk_before_analysis_heard_of_them(
    stack: RunningStack, photos: Path
) -> None:
    subject = "outlives-the-bus"
    send(stack, "analysis", signal.SIGSTOP)
    importing = begin(stack, photos, subject)
    until(lambda: stored(stack, subject) == COUNT)
    shutil.rmtree(stack.home.data("nats"))
    send(stack, "nats", signal.SIGKILL)
    send(stack, "analysis", signal.SIGCONT)
    status, _, said = end(importing)
    assert status == 0, said
    assert {row["state"] for row in stack.findings(subject).values()} == {"done"}
    assert stack.rows("ideas", "--subject", subject)
    until(lambda: ready(stack))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RunningStack]:
    stack = RunningStack(StackHome(tmp_path / "home"))
    started = stack.run("up")
    assert started.returncode == 0, started.stderr
    yield stack
    stack.run("down")


def test_a_stack_that_is_gone_is_given_up_and_every_file_is_named(mortal: RunningStack, photos: Path) -> None:
    importing = begin(mortal, photos, "left")
    until(lambda: stored(mortal, "left") >= BEGUN)
    os.kill(mortal.state.supervisor.pid, signal.SIGTERM)
    stopped = time.monotonic()
    status, answers, said = end(importing)
    assert time.monotonic() - stopped < PATIENCE_SECONDS
    assert status == 3, said
    assert len(answers) == COUNT
    assert {row["outcome"] for row in answers.values()} == {"stored", "unanswered"}
    assert "IMPORT_INCOMPLETE" in said
