import stat
import subprocess
from pathlib import Path

import pytest

from services.chassis.backup_marks import MARKS
from services.retention.domain.keys import WrappedKey
from services.retention.epochs.epoch_files import EpochFiles, read_root_key
from services.retention.errors import EpochGone, RootKeyUnusable

ROOT_KEY = b"r" * 32
SECRET = b"s" * 32
AAD = b"subject|LOCATION|7"


@pytest.fixture
def epochs(tmp_path: Path) -> EpochFiles:
    epochs = EpochFiles(tmp_path / "epochs", ROOT_KEY)
    epochs.make("2026-03-01")
    epochs.begin("2026-03-01")
    return epochs


class TestWrapping:
    def test_a_key_comes_back_as_it_was(self, epochs: EpochFiles) -> None:
        assert epochs.unwrap(epochs.wrap(SECRET, AAD), AAD) == SECRET

    def test_a_wrapped_key_is_bound_to_what_it_is_for(self, epochs: EpochFiles) -> None:
        with pytest.raises(EpochGone):
            epochs.unwrap(epochs.wrap(SECRET, AAD), b"subject|LOCATION|8")

    def test_an_altered_key_does_not_open(self, epochs: EpochFiles) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        for position in range(len(wrapped.sealed)):
            altered = bytearray(wrapped.sealed)
            altered[position] ^= 1
            with pytest.raises(EpochGone):
                epochs.unwrap(WrappedKey(wrapped.epoch, bytes(altered)), AAD)

    def test_the_newest_epoch_wraps(self, epochs: EpochFiles) -> None:
        epochs.make("2026-03-02")
        assert epochs.wrap(SECRET, AAD).epoch == "2026-03-01"
        epochs.begin("2026-03-02")
        assert epochs.wrap(SECRET, AAD).epoch == "2026-03-02"

    def test_older_epochs_still_unwrap(self, epochs: EpochFiles) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        epochs.make("2026-03-02")
        epochs.begin("2026-03-02")
        assert epochs.unwrap(wrapped, AAD) == SECRET


class TestFiles:
    def test_backups_leave_them_out(self, epochs: EpochFiles, tmp_path: Path) -> None:
        command = ["tar", "--create", "--exclude-caches-all", f"--directory={tmp_path}", "."]
        archive = subprocess.run(command, capture_output=True, check=True).stdout
        assert b"epochs/2026-03-01" not in archive
        assert epochs.all() == ["2026-03-01"], "the marks are no epochs"

    def test_they_are_for_their_owner_alone(self, epochs: EpochFiles) -> None:
        path = epochs.path("2026-03-01")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_they_hold_no_key_in_clear_and_nothing_else_lies_about(self, epochs: EpochFiles) -> None:
        [file] = (file for file in epochs.path("2026-03-01").parent.iterdir() if file.name not in MARKS)
        assert file.stat().st_size == 12 + 32 + 16

    def test_another_root_key_opens_nothing(self, epochs: EpochFiles, tmp_path: Path) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        with pytest.raises(EpochGone):
            EpochFiles(tmp_path / "epochs", b"x" * 32).unwrap(wrapped, AAD)

    def test_a_restarted_process_opens_what_was_wrapped_before(self, epochs: EpochFiles, tmp_path: Path) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        assert EpochFiles(tmp_path / "epochs", ROOT_KEY).unwrap(wrapped, AAD) == SECRET

    def test_two_processes_that_make_an_epoch_share_it(self, epochs: EpochFiles, tmp_path: Path) -> None:
        other = EpochFiles(tmp_path / "epochs", ROOT_KEY)
        other.make("2026-03-01")
        other.begin("2026-03-01")
        assert epochs.unwrap(other.wrap(SECRET, AAD), AAD) == SECRET


class TestDestruction:
    def test_nothing_under_a_destroyed_epoch_opens(self, epochs: EpochFiles) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        epochs.destroy("2026-03-01")
        with pytest.raises(EpochGone):
            epochs.unwrap(wrapped, AAD)

    def test_other_processes_forget_it_as_well(self, epochs: EpochFiles, tmp_path: Path) -> None:
        other = EpochFiles(tmp_path / "epochs", ROOT_KEY)
        wrapped = epochs.wrap(SECRET, AAD)
        assert other.unwrap(wrapped, AAD) == SECRET
        epochs.destroy("2026-03-01")
        with pytest.raises(EpochGone):
            other.unwrap(wrapped, AAD)

    def test_an_epoch_made_again_is_another_one(self, epochs: EpochFiles) -> None:
        wrapped = epochs.wrap(SECRET, AAD)
        epochs.destroy("2026-03-01")
        epochs.make("2026-03-01")
        with pytest.raises(EpochGone):
            epochs.unwrap(wrapped, AAD)

    def test_destroying_twice_is_no_error(self, epochs: EpochFiles) -> None:
        epochs.destroy("2026-03-01")
        epochs.destroy("2026-03-01")
        assert not epochs.has("2026-03-01")


class TestRootKey:
    def test_it_is_read(self, tmp_path: Path) -> None:
        assert read_root_key(written(tmp_path, ROOT_KEY.hex() + "\n")) == ROOT_KEY

    @pytest.mark.parametrize("content", ["", "00" * 31, "zz" * 32, "é"])
    def test_another_content_is_refused(self, tmp_path: Path, content: str) -> None:
        with pytest.raises(RootKeyUnusable, match=r"root\.key"):
            read_root_key(written(tmp_path, content))

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
    def test_a_file_that_others_can_touch_is_refused(self, tmp_path: Path, mode: int) -> None:
        file = written(tmp_path, ROOT_KEY.hex())
        file.chmod(mode)
        with pytest.raises(RootKeyUnusable, match="chmod 0600"):
            read_root_key(file)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(RootKeyUnusable, match=r"root\.key"):
            read_root_key(tmp_path / "root.key")


def written(folder: Path, content: str) -> Path:
    file = folder / "root.key"
    file.touch(mode=0o600)
    file.write_text(content)
    return file
