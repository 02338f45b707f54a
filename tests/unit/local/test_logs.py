import shutil
from pathlib import Path

import pytest

from deploy.local.logs import rotate, rotate_all


def written(folder: Path, content: str) -> Path:
    log = folder / "nats.log"
    log.write_text(content, encoding="utf-8")
    return log


def test_a_short_log_stays(tmp_path: Path) -> None:
    rotate(written(tmp_path, "short"), limit=10, kept=3)
    assert [path.name for path in tmp_path.iterdir()] == ["nats.log"]


def test_a_long_log_is_put_aside_and_goes_on_in_the_same_file(tmp_path: Path) -> None:
    log = written(tmp_path, "")
    with log.open("a", encoding="utf-8") as server:
        server.write("x" * 20)
        server.flush()
        rotate(log, limit=10, kept=3)
        server.write("after")
    assert log.read_text() == "after"
    assert (tmp_path / "nats.log.1").read_text() == "x" * 20


def test_a_few_are_kept_and_the_oldest_goes(tmp_path: Path) -> None:
    for letter in "abcd":
        rotate(written(tmp_path, letter * 20), limit=10, kept=2)
    kept = {path.name: path.read_text()[:1] for path in tmp_path.iterdir()}
    assert kept == {"nats.log": "", "nats.log.1": "d", "nats.log.2": "c"}


def test_on_a_full_disk_a_long_log_goes_without_having_been_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, to: Path) -> None:
        to.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    log = written(tmp_path, "x" * 20)
    rotate_all(tmp_path, limit=10, kept=2)
    assert [path.name for path in tmp_path.iterdir()] == ["nats.log"]
    assert log.read_text() == ""
