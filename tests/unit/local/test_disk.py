import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.disk import check_disk, is_full
from deploy.local.errors import StackError
from deploy.local.home import StackHome

ENOUGH_FOR_A_FIRST_START, ENOUGH_FOR_ANOTHER = 640, 360


def leave_free(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=megabytes << 20))


def test_a_first_start_wants_room_for_what_the_servers_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, ENOUGH_FOR_ANOTHER)
    with pytest.raises(StackError, match=r"360 MB are free under .*, 625 MB are needed: make room"):
        check_disk(StackHome(tmp_path), "seaweedfs")


def test_a_first_start_with_enough_room_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, ENOUGH_FOR_A_FIRST_START)
    check_disk(StackHome(tmp_path), "seaweedfs")


def test_what_is_there_already_needs_no_more_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = StackHome(tmp_path)
    for part in ("postgres", "nats", "seaweedfs", "triton"):
        home.data(part).mkdir(parents=True)
    leave_free(monkeypatch, ENOUGH_FOR_ANOTHER)
    check_disk(home, "seaweedfs")


@pytest.mark.parametrize(("megabytes", "full"), [(100, True), (1000, False)])
def test_a_disk_is_full_before_the_databases_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, megabytes: int, full: bool
) -> None:
    leave_free(monkeypatch, megabytes)
    assert is_full(tmp_path) is full
