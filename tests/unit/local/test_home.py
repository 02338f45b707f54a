from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.home import StackHome, default_home


def test_an_account_without_a_home_folder_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PELLICULE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(StackError, match="has no home folder: set PELLICULE_HOME"):
        default_home()


def test_a_folder_that_cannot_be_made_is_said_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="set PELLICULE_HOME to a folder of its own"):
        StackHome(tmp_path / "file" / "home").make()
