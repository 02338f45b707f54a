import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg.errors
import pytest

from deploy.local.errors import StackError
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.plan import Unit
from deploy.local.watch import Watch
from services.chassis.clock import SystemClock
from tests.integration.local.traces import litter

PATIENCE = 20.0
LISTENS = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


class Sleeper:
    """A part that does nothing, and answers as it is told."""

    name = "sleeper"

    def __init__(self, folder: Path, program: str = LISTENS) -> None:
        self.answers = True
        self._port = ReservedPort()
        self.address = self._port.address
        self.log = folder / "log"
        self._folder = folder
        self._program = program

    async def start(self) -> ServerProcess:
        program = Path(sys.executable)
        return ServerProcess.start(
            Command(program, ("-c", self._program, str(self._port.number)), log=self.log, directory=self._folder)
        )

    async def probe(self) -> bool:
        return self.answers

    async def provision(self) -> None:
        """Needs nothing."""

    def close(self) -> None:
        self._port.close()

    def litter(self) -> list[str]:
        return [f"{self._folder}/litter*"]


@asynccontextmanager
async def watched(part: Sleeper, changed: Callable[[], None] = lambda: None) -> AsyncIterator[Watch]:
    watch = Watch(Unit(part, patience=1, interval=0.2), SystemClock(), changed)
    life = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.stop()
        part.close()


async def until(holds: Callable[[], bool], change: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            change.clear()
            await change.wait()


async def test_a_killed_part_is_started_again(tmp_path: Path) -> None:
    change = asyncio.Event()
    async with watched(Sleeper(tmp_path), change.set) as watch:
        await until(lambda: watch.state.ready, change)
        first = watch.state.process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: watch.state.ready and watch.state.restarts == 1, change)
        assert watch.state.process != first


async def test_a_part_that_stops_answering_is_started_again(tmp_path: Path) -> None:
    change = asyncio.Event()
    part = Sleeper(tmp_path)
    async with watched(part, change.set) as watch:
        await until(lambda: watch.state.ready, change)
        part.answers = False
        await until(lambda: watch.state.restarts == 1, change)
        assert "stopped answering" in watch.state.note
        part.answers = True
        await until(lambda: watch.state.ready, change)


class PausesNoted(SystemClock):
    """A clock on which an hour goes by whenever it is looked at, and on which no test has to wait."""

    def __init__(self) -> None:
        self._hours = count()
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return 3600.0 * next(self._hours)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_a_part_that_no_longer_answers_however_often_it_is_started_is_started_less_and_less_often(
    tmp_path: Path,
) -> None:
    change, clock, part = asyncio.Event(), PausesNoted(), Sleeper(tmp_path)
    watch = Watch(Unit(part, patience=1, interval=0.2), clock, change.set)
    life = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch.state.ready, change)
        part.answers = False
        watch.unit = replace(watch.unit, start_timeout=2.0)
        await until(lambda: len(clock.pauses) >= 3, change)
        assert clock.pauses[:3] == [0.5, 1.0, 2.0]
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.stop()
        part.close()


async def test_a_part_that_does_not_answer_for_a_full_disk_is_not_started_again(tmp_path: Path) -> None:
    change, part, full = asyncio.Event(), Sleeper(tmp_path), asyncio.Event()
    watch = Watch(Unit(part, patience=1, interval=0.2), SystemClock(), change.set, full.is_set)
    life = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch.state.ready, change)
        full.set()
        part.answers = False
        await until(lambda: not watch.state.ready, change)
        assert (watch.state.note, watch.state.restarts) == ("the disk is full: make room, and it goes on", 0)
        full.clear()
        await until(lambda: watch.state.restarts == 1, change)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.stop()
        part.close()


async def test_a_part_whose_files_cannot_be_written_is_started_again(tmp_path: Path) -> None:
    class Unprepared(Sleeper):
        tries = 0

        async def start(self) -> ServerProcess:
            self.tries += 1
            if self.tries == 2:
                raise OSError(28, "No space left on device", "nats.json")
            return await super().start()

    change = asyncio.Event()
    part = Unprepared(tmp_path)
    async with watched(part, change.set) as watch:
        await until(lambda: watch.state.ready, change)
        assert watch.state.process is not None
        os.kill(watch.state.process.pid, signal.SIGKILL)
        await until(lambda: "No space left on device: nats.json" in watch.state.note, change)
        await until(lambda: watch.state.ready, change)


async def test_a_part_that_cannot_be_provisioned_once_more_is_started_again_whatever_it_says(tmp_path: Path) -> None:
    class Refusing(Sleeper):
        tries = 0

        async def provision(self) -> None:
            self.tries += 1
            if self.tries == 2:
                raise psycopg.errors.DiskFull("could not extend file")

    change = asyncio.Event()
    part = Refusing(tmp_path)
    async with watched(part, change.set) as watch:
        await until(lambda: watch.state.ready, change)
        assert watch.state.process is not None
        os.kill(watch.state.process.pid, signal.SIGKILL)
        await until(lambda: "could not extend file" in watch.state.note, change)
        await until(lambda: watch.state.ready and part.tries == 3, change)


async def test_a_probe_that_fails_is_no_answer_and_ends_nothing(tmp_path: Path) -> None:
    class Confusing(Sleeper):
        async def probe(self) -> bool:
            if not self.answers:
                raise ValueError("what is this")
            return True

    change = asyncio.Event()
    part = Confusing(tmp_path)
    async with watched(part, change.set) as watch:
        await until(lambda: watch.state.ready, change)
        part.answers = False
        await until(lambda: watch.state.restarts == 1, change)
        part.answers = True
        await until(lambda: watch.state.ready, change)


async def test_a_first_start_on_a_disk_that_fills_meanwhile_waits_for_room(tmp_path: Path) -> None:
    class Unprepared(Sleeper):
        async def start(self) -> ServerProcess:
            if full.is_set():
                raise StackError("PROGRAM_MISSING", "it could not be unpacked")
            return await super().start()

    change, full, part = asyncio.Event(), asyncio.Event(), Unprepared(tmp_path)
    full.set()
    watch = Watch(Unit(part, patience=1, interval=0.2), SystemClock(), change.set, full.is_set)
    life = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch.state.restarts == 4, change)
        assert watch.state.note.startswith("the disk is full: make room, and it goes on")
        full.clear()
        await until(lambda: watch.state.ready, change)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.stop()
        part.close()


async def test_what_an_operator_should_know_is_said_while_all_is_well(tmp_path: Path) -> None:
    change, part = asyncio.Event(), Sleeper(tmp_path)
    watch = Watch(Unit(part, remark="its port has moved"), SystemClock(), change.set)
    life = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch.state.ready, change)
        assert watch.state.note == "its port has moved"
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await watch.stop()
        part.close()


async def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    part = Sleeper(tmp_path, "import sys; sys.exit('no room on the disk')")
    part.answers = False
    watch = Watch(Unit(part), SystemClock(), lambda: None)
    with pytest.raises(StackError, match="sleeper did not start: it ended with status 1; it said: no room on the disk"):
        await watch.run()
    part.close()


async def test_a_stopped_part_is_not_running_and_left_nothing(tmp_path: Path) -> None:
    change = asyncio.Event()
    async with watched(Sleeper(tmp_path), change.set) as watch:
        await until(lambda: watch.state.ready, change)
        (tmp_path / "litter1").touch()
    assert watch.state.process is None
    assert not litter(f"{tmp_path}/litter*")
