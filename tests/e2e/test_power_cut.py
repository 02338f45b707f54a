"""A power cut a moment after the last answer: every photo that was acknowledged is read, byte for byte."""

import contextlib
import hashlib
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from deploy.local.home import StackHome
from deploy.local.parts.minio_program import cached_minio
from pellicule.ingest.v1 import media_service_pb2
from services.cli.access import access_of
from services.cli.bench.photos import with_comment
from services.cli.client import Services, connect
from services.cli.photos.listing import media
from tests.e2e.harness import RunningStack
from tests.e2e.pictures import now, save, sources
from tests.integration.local.disks import Disk, disk

WHO, GRANT = "unplugged", "CLOUD_PROCESSING"
PHOTOS = 120


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Disk]:
    with disk(tmp_path) as made:
        made.folder.chmod(0o755)
        yield made


@pytest.fixture(params=["seaweedfs", "minio"])
def plugged(request: pytest.FixtureRequest, drive: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStack]:
    if request.param == "minio" and cached_minio() is None:
        pytest.skip("MinIO has not been built here")
    stack = RunningStack(StackHome(drive.folder / "home"))
    monkeypatch.setenv("PELLICULE_HOME", str(stack.home.path))
    started = stack.run("up", "--object-store", request.param)
    assert started.returncode == 0, started.stderr
    yield stack
    stack.run("down")


def roll(folder: Path) -> dict[bytes, bytes]:
    """Write photos that are the same picture under other hashes, and return them by their SHA-256."""
    folder.mkdir()
    template = save(folder / "0.jpg", sources()["cat"], now() - timedelta(days=1))
    picture = template.read_bytes()
    template.unlink()
    photos = [with_comment(picture, str(number).encode()) for number in range(PHOTOS)]
    for number, photo in enumerate(photos):
        (folder / f"{number}.jpg").write_bytes(photo)
    return {hashlib.sha256(photo).digest(): photo for photo in photos}


def cut_power(stack: RunningStack, drive: Disk) -> None:
    running = stack.state
    drive.cut()
    for process in [running.supervisor, *(part.process for part in running.parts if part.process is not None)]:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for each in family:
                os.kill(each.pid, signal.SIGKILL)
            psutil.wait_procs(family, timeout=10)
    drive.begin_again()


async def read(services: Services, name: str) -> bytes:
    request = media_service_pb2.ReadMediaRequest(name=name)
    return b"".join(
        [piece.chunk async for piece in services.media.ReadMedia(request, metadata=services.headers, timeout=30)]
    )


async def test_every_photo_that_was_acknowledged_survives(plugged: RunningStack, drive: Disk, tmp_path: Path) -> None:
    photos = roll(tmp_path / "roll")
    answers = plugged.rows("import", str(tmp_path / "roll"), "--subject", WHO, "--grant", GRANT)
    cut_power(plugged, drive)
    started = plugged.run("up")
    assert started.returncode == 0, started.stderr
    async with connect(access_of(WHO)) as services:
        kept = await media(services)
        whole = [row.name for row in kept if await read(services, row.name) == photos[row.sha256]]
    assert (len(answers), len(kept), len(whole)) == (PHOTOS, PHOTOS, PHOTOS)
