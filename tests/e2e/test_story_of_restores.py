"""Stories on a whole stack: photos come and go, and any service's database is put back to any earlier state."""

from __future__ import annotations

import hashlib
import random
import signal
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import grpc
import pytest
from PIL import Image

from deploy.declarations import SERVICES
from pellicule.analysis.v1 import analysis_service_pb2
from pellicule.ingest.v1 import media_service_pb2
from services.cli.client import Access, Services, connect
from services.cli.stack.token import local_token, public_addresses
from tests.e2e.database_copies import DatabaseCopy, copied, put_back
from tests.e2e.harness import RunningStack
from tests.e2e.pictures import now, save
from tests.e2e.test_outages import send
from tests.integration.eventually import eventually

CLOUD = "CLOUD_PROCESSING"
STEPS = 16
CALL_SECONDS = 20.0
HEAL_SECONDS = 120.0
"""How long the services may take to find their connections and the journal again."""


class _Chunk(Protocol):
    chunk: bytes


@dataclass
class Photo:
    """A photo that was stored.

    Attributes:
        subject: Whose it is.
        name: Its resource name.
        sha256: Of its bytes.
        made: The step that brought it in.
        over: Whether its owner has deleted it, or withdrawn.
        unsure: Whether a database was put back to a moment before it.
    """

    subject: str
    name: str
    sha256: str
    made: int
    over: bool = False
    unsure: bool = False


@dataclass
class Story:
    """What is done to a stack, and what must be true of it after each step."""

    stack: RunningStack
    chance: random.Random
    folder: Path
    subjects: tuple[str, ...]
    step: int = 0
    photos: list[Photo] = field(default_factory=list)
    copies: list[tuple[int, DatabaseCopy]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def tell(self) -> None:
        """Bring something in, and go on by chance."""
        await self.bring_in()
        acts: list[Callable[[], Awaitable[None]]] = [
            self.bring_in, self.bring_in, self.delete, self.withdraw, self.erase_all, self.copy, self.copy, self.copy,
            self.put_back, self.put_back, self.put_back, self.kill,
        ]  # fmt: skip
        for self.step in range(1, STEPS):
            act = self.chance.choice(acts)
            self.told.append(act.__name__)
            await act()
            await self.check()
        await self.heal()

    async def heal(self) -> None:
        """Wait until every service answers: who comes next finds the stack well."""
        await self.bring_in()
        for command in ("findings", "ideas"):
            await eventually(partial(self._does, command, "--subject", self.photos[-1].subject), seconds=HEAL_SECONDS)

    async def bring_in(self) -> None:
        """Grant what is needed, and bring a new photo in; it works again after whatever was done before."""
        subject, folder = self.chance.choice(self.subjects), self.folder / uuid4().hex
        folder.mkdir()
        noise = Image.frombytes("RGB", (320, 240), self.chance.randbytes(320 * 240 * 3))
        file = save(folder / "photo.jpg", noise, now() - timedelta(hours=2))
        bringing = partial(self._does, "import", str(folder), "--subject", subject, "--grant", CLOUD)
        await eventually(bringing, seconds=HEAL_SECONDS)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        name = await eventually(lambda: self._name(subject, sha256), seconds=HEAL_SECONDS)
        self.photos.append(Photo(subject, str(name), sha256, self.step))

    async def delete(self) -> None:
        """Delete a photo that can be read."""
        if living := [each for each in self.photos if not each.over and not each.unsure]:
            photo = self.chance.choice(living)
            async with self._services(photo.subject) as services:
                request = media_service_pb2.DeleteMediaRequest(name=photo.name, request_id=str(uuid4()))
                await eventually(partial(_deleted, services, request), seconds=HEAL_SECONDS)
            photo.over = True

    async def withdraw(self) -> None:
        """Withdraw everything of a person."""
        subject = self.chance.choice(self.subjects)
        await eventually(partial(self._does, "withdraw", CLOUD, "--subject", subject), seconds=HEAL_SECONDS)
        self._end(subject)

    async def erase_all(self) -> None:
        """Erase everything of a person."""
        subject = self.chance.choice(self.subjects)
        await eventually(partial(self._does, "erase", "--yes", "--subject", subject), seconds=HEAL_SECONDS)
        self._end(subject)

    async def copy(self) -> None:
        """Copy a database."""
        service = self.chance.choice(SERVICES)
        self.copies.append((self.step, copied(self.stack, service)))

    async def put_back(self) -> None:
        """Put a copy back, as a restore or a failover to a replica that was behind does."""
        if self.copies:
            step, copy = self.chance.choice(self.copies)
            self.told[-1] += f" {copy.service} of {step}"
            put_back(self.stack, copy)
            for photo in self.photos:
                photo.unsure |= photo.made >= step and copy.service in ("consent", "ingest", "retention")

    async def kill(self) -> None:
        """Kill a service; its supervisor starts it again."""
        send(self.stack, self.chance.choice(SERVICES), signal.SIGKILL)

    async def check(self) -> None:
        """Hold that what is over never opens, and that what lives opens once the services are well again."""
        for photo in self.photos:
            async with self._services(photo.subject) as services:
                if photo.over:
                    assert not await _read(services, photo), (photo, self.told)
                    assert not await _preview(services, photo), (photo, self.told)
                elif not photo.unsure:
                    await eventually(partial(_is_read, services, photo), seconds=HEAL_SECONDS)

    async def _does(self, *command: str) -> bool:
        """Say whether a command did its work; while a database comes back it may be told to call again."""
        done = self.stack.run(*command, "--json")
        if done.returncode:
            assert "DEPENDENCY_UNAVAILABLE" in done.stdout, (done.stdout, self.told)
        return done.returncode == 0

    def _end(self, subject: str) -> None:
        for photo in self.photos:
            photo.over |= photo.subject == subject

    async def _name(self, subject: str, sha256: str) -> str | None:
        async with self._services(subject) as services:
            try:
                listed = await services.media.ListMedia(
                    media_service_pb2.ListMediaRequest(page_size=500), metadata=services.headers, timeout=CALL_SECONDS
                )
            except grpc.aio.AioRpcError:
                return None
        return next((media.name for media in listed.media if media.sha256.hex() == sha256), None)

    def _services(self, subject: str) -> AbstractAsyncContextManager[Services]:
        state = self.stack.state
        return connect(
            Access(
                addresses=public_addresses(state),
                ca_certificate=self.stack.home.authority.read_bytes(),
                token=local_token(self.stack.home, subject, ttl=timedelta(hours=1), settings=state.settings),
                stack_runs=lambda: True,
            )
        )


async def _deleted(services: Services, request: media_service_pb2.DeleteMediaRequest) -> bool:
    try:
        await services.media.DeleteMedia(request, metadata=services.headers, timeout=CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise
        return False
    return True


async def _is_read(services: Services, photo: Photo) -> bool:
    return hashlib.sha256(await _read(services, photo)).hexdigest() == photo.sha256


async def _read(services: Services, photo: Photo) -> bytes:
    """Return what comes out of the photo."""
    request = media_service_pb2.ReadMediaRequest(name=photo.name)
    return await _bytes(services.media.ReadMedia(request, metadata=services.headers, timeout=CALL_SECONDS))


async def _preview(services: Services, photo: Photo) -> bytes:
    """Return what comes out of its preview."""
    request = analysis_service_pb2.ReadPreviewRequest(media=photo.name)
    return await _bytes(services.analysis.ReadPreview(request, metadata=services.headers, timeout=CALL_SECONDS))


async def _bytes(responses: AsyncIterable[_Chunk]) -> bytes:
    read = b""
    with suppress(grpc.aio.AioRpcError):
        async for response in responses:
            read += response.chunk
    return read


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_comes_back_and_what_lives_is_read_whatever_database_is_put_back(
    stack: RunningStack, tmp_path: Path, seed: int
) -> None:
    subjects = tuple(f"story-{seed}-{name}" for name in ("ada", "ben"))
    await Story(stack, random.Random(seed), tmp_path, subjects).tell()
