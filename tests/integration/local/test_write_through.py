import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.parts.write_through import write_through, writes_through
from tests.integration.local.disks import FILE_SYSTEMS, Disk, disk


@pytest.fixture(params=FILE_SYSTEMS)
def drive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with disk(tmp_path, file_system=request.param, size="400M") as made:
        yield made


def flags(path: Path) -> str:
    return subprocess.run(["lsattr", "-d", path], capture_output=True, text=True, check=True).stdout.split()[0]


def test_what_is_there_and_what_comes_is_written_through(drive: Disk) -> None:
    folder = drive.folder / "data"
    (folder / "index").mkdir(parents=True)
    (folder / "index" / "old").touch()
    write_through(folder)
    (folder / "index" / "new").touch()
    assert ["S" in flags(folder / "index" / name) for name in ("old", "new")] == [True, True]


def test_a_file_system_on_a_disk_can(drive: Disk) -> None:
    assert writes_through(drive.folder)
    assert [path.name for path in drive.folder.iterdir() if path.name != "lost+found"] == []


def test_a_file_system_in_memory_cannot() -> None:
    assert not writes_through(Path("/dev/shm"))


def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    write_through(tmp_path)
    assert (tmp_path / "link").is_symlink()
