"""The drill: back up, erase, withdraw, restore; nothing of that opens, everything else does."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from inference.model_build import build as models
from tests.e2e.harness import RunningStack
from tests.e2e.pictures import FACE
from tests.integration.eventually import eventually

KEPT = "IMG_0002.jpg"


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Run a stack that may lose its data: other tests look at theirs meanwhile."""
    models.build_all(models.default_home())
    running = RunningStack(StackHome(tmp_path_factory.mktemp("own") / "home"))
    started = running.run("up")
    assert started.returncode == 0, started.stderr
    yield running
    running.run("down")


def restored(stack: RunningStack, backup: Path) -> None:
    stack.rows("down")
    stack.rows("backup", "restore", str(backup), "--replace")
    stack.rows("up")


def statuses(stack: RunningStack, subject: str) -> dict[object, object]:
    return {row["purpose"]: row["status"] for row in stack.rows("consent", "--subject", subject)}


@pytest.fixture(scope="module")
def two_photos(roll: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for name in (FACE, KEPT):
        shutil.copy(roll / name, folder / name)
    return folder


@pytest.mark.timeout(900)
async def test_nothing_that_was_destroyed_comes_back_with_a_backup(
    own_stack: RunningStack, two_photos: Path, tmp_path: Path
) -> None:
    stack, backup = own_stack, tmp_path / "backup"
    for subject in ("erases-one", "withdraws", "leaves"):
        stack.bring_in(two_photos, subject, "CLOUD_PROCESSING")
    stack.rows("backup", "take", str(backup))
    stack.rows("erase", "--yes", "--subject", "erases-one", "--file", FACE)
    stack.rows("withdraw", "CLOUD_PROCESSING", "--subject", "withdraws")
    stack.rows("erase", "--yes", "--subject", "leaves", "--account", "--delay", "0s")
    before = stack.findings("erases-one")

    restored(stack, backup)

    assert stack.findings("erases-one") == before
    assert set(before) == {KEPT}
    for subject in ("withdraws", "leaves"):
        assert stack.failure("findings", "--subject", subject)["reason"] == "PURPOSE_NOT_GRANTED"
        assert "GIVEN" not in statuses(stack, subject).values()

    async def rows_left() -> int:
        return sum(stack.rows_of("ingest", subject)["media"] for subject in ("withdraws", "leaves"))

    await eventually(rows_left, lambda count: count == 0)


def test_a_backup_holds_no_key_that_opens_it(own_stack: RunningStack, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    own_stack.rows("backup", "take", str(backup))
    kept = {path.name for path in backup.rglob("*")}
    assert not kept & {"keys", "epochs", "journal", "root.key"}
    content = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    assert bytes.fromhex(own_stack.home.key("root.key").read_text()) not in content


@pytest.mark.parametrize("harm", ["missing", "altered", "unfinished"])
def test_a_backup_that_is_not_whole_is_refused(own_stack: RunningStack, tmp_path: Path, harm: str) -> None:
    backup = tmp_path / "backup"
    own_stack.rows("backup", "take", str(backup))
    harmed = backup / ("manifest.json" if harm == "unfinished" else "databases/consent.dump")
    if harm == "altered":
        harmed.write_bytes(harmed.read_bytes()[::-1])
    else:
        harmed.unlink()
    reason = own_stack.failure("backup", "restore", str(backup), "--replace")["reason"]
    assert reason == ("BACKUP_DAMAGED" if harm == "altered" else "BACKUP_INCOMPLETE")


def test_a_stack_that_runs_keeps_its_data(own_stack: RunningStack, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    own_stack.rows("backup", "take", str(backup))
    assert own_stack.failure("backup", "restore", str(backup), "--replace")["reason"] == "ALREADY_RUNNING"


def test_a_stack_opens_again_once_the_loss_of_its_journal_is_accepted(own_stack: RunningStack) -> None:
    stack = own_stack
    before = stack.findings("erases-one")
    (journal,) = {str(row["journal"]) for row in stack.rows("journal", "status")}
    stack.rows("down")
    shutil.rmtree(stack.home.journal)
    assert {row["state"] for row in stack.rows("journal", "status")} == {"lost"}
    assert stack.failure("journal", "accept-loss", "another", "--yes")["reason"] == "JOURNAL_UNKNOWN"
    stack.rows("journal", "accept-loss", journal, "--yes")
    stack.rows("up")
    assert stack.findings("erases-one") == before
