"""Watch over one part: started, watched, started again when it dies or stops answering."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import psutil

from deploy.local.disk import DISK_FULL
from deploy.local.errors import START_FAILED, StackError
from deploy.local.leftovers import identify
from deploy.local.liveness import Liveness
from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.process import ServerProcess
from deploy.local.plan import Unit
from deploy.local.state import PartState, ProcessId
from services.chassis.clock import Clock

_PROBE_TIMEOUT = 30.0
_LOOK_AGAIN_SECONDS = 5.0
"""Between two probes at most, once one had no answer."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_STEADY_SECONDS = 60.0
"""A part that answered for this long has recovered: its next failure is a first one again."""
_FIRST_STARTS = 3
"""How often a part may fail before it was ready once; after that the stack is not viable."""
_UNWELL = "does not answer as it should"

_log = logging.getLogger(__name__)


class Watch:
    """Keeps one part running.

    Args:
        unit: The part.
        clock: Says when it became ready.
        changed: Called at each change of `state`.
        disk_full: Says whether the disk is full: a server that does not answer for that is not started again.
    """

    def __init__(
        self, unit: Unit, clock: Clock, changed: Callable[[], None], disk_full: Callable[[], bool] = lambda: False
    ) -> None:
        self.unit = unit
        self.ready = asyncio.Event()
        """Set once the part was ready for the first time: those that need it may start."""
        self.stopped = asyncio.Event()
        self._clock = clock
        self._changed = changed
        self._disk_full = disk_full
        self._process: ServerProcess | None = None
        self._identity: ProcessId | None = None
        self._answers = False
        self._restarts = 0
        self._started_at = ""
        self._note = "waiting to be started"

    @property
    def state(self) -> PartState:
        """The part as it is now."""
        part = self.unit.part
        return PartState(
            part=part.name,
            ready=self._answers,
            process=self._identity,
            restarts=self._restarts,
            address=part.address,
            started_at=self._started_at,
            note=self._note,
        )

    async def run(self) -> None:
        """Start the part, over and over, until cancelled.

        Raises:
            StackError: it could not be started even once.
        """
        pause = _FIRST_PAUSE
        while True:
            steady = await self._one_guarded_life() > _STEADY_SECONDS
            pause = _FIRST_PAUSE if steady else min(pause * 2, _LONGEST_PAUSE)
            self._restarts += 1
            self._note_down(self._note)
            await self._clock.sleep(pause)

    async def stop(self) -> None:
        """Stop the part and remove what it left outside its folder."""
        try:
            if self._process is not None:
                await self._process.stop()
            sweep(self.unit.part.litter())
            self._process = self._identity = None
            self._answers = False
            self._note_down("stopped")
        finally:
            self.stopped.set()

    async def _one_guarded_life(self) -> float:
        try:
            return await self._one_life()
        except StackError:
            raise
        except Exception:  # noqa: BLE001  # one part's trouble is no other's
            _log.exception("the watch over %s failed", self.unit.part.name)
            return 0.0

    async def _one_life(self) -> float:
        """Start the part and watch it until it has ended; return the seconds in which it answered."""
        try:
            self._note_down("starting")
            self._process = await bring_up(self.unit.part, started=self._note_process, timeout=self.unit.start_timeout)
        except Exception as failure:  # whatever it is, the other parts go on
            error = failure if isinstance(failure, StackError) else _not_prepared(self.unit.part.name, failure)
            self._identity = None
            full = self._lacks_room()
            if not (full or self.ready.is_set() or self._may_yet_start(error)):
                raise error from failure
            self._note_down(f"{DISK_FULL} ({error.message})" if full else error.message)
            return 0.0
        self._answers = True
        self._started_at = self._clock.now().isoformat()
        self._note_down(self.unit.remark)
        self.ready.set()
        return await self._watch(self._process)

    def _may_yet_start(self, error: StackError) -> bool:
        """Tell whether to try again: a failed start may have been bad luck, what else is wrong stays wrong."""
        return error.reason == START_FAILED and self._restarts + 1 < _FIRST_STARTS

    def _note_process(self, process: ServerProcess) -> None:
        self._process = process
        with contextlib.suppress(psutil.NoSuchProcess):
            self._identity = identify(process.pid)
        self._changed()

    async def _watch(self, process: ServerProcess) -> float:
        """Watches until the process has ended or had to be ended; returns the seconds until its last good answer."""
        began = answered = self._clock.monotonic()
        liveness = Liveness(self.unit.patience, self.unit.interval + 2 * _PROBE_TIMEOUT)
        frozen, looked = False, _now()
        while not frozen and not await process.exited(self._pause(liveness)):
            good = await self._probe(self.unit.part.probe)
            full = not good and self._lacks_room()
            answered = self._clock.monotonic() if good else answered
            self._take_down(good=good, note=self.unit.remark if good else DISK_FULL if full else _UNWELL)
            if good or full or await self._probe(self.unit.lives):
                liveness.answered(process.worked())
            else:
                frozen = liveness.silent(process.worked(), _now() - looked)
            looked = _now()
        reason = "stopped answering" if process.exit_status is None else f"ended with status {process.exit_status}"
        await process.stop(at_once=frozen)
        sweep(self.unit.part.litter())
        self._identity, self._answers = None, False
        self._note_down(f"{reason}; it said: {process.last_words()}")
        return answered - began

    def _pause(self, liveness: Liveness) -> float:
        return min(self.unit.interval, _LOOK_AGAIN_SECONDS) if liveness.missed else self.unit.interval

    async def _probe(self, ask: Callable[[], Awaitable[bool]]) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT):
                return await ask()
        except TimeoutError:
            return False
        except Exception:  # noqa: BLE001  # whatever it is, it is no answer
            _log.exception("a probe of %s failed", self.unit.part.name)
            return False

    def _lacks_room(self) -> bool:
        with contextlib.suppress(OSError):
            return self._disk_full()
        return False

    def _take_down(self, *, good: bool, note: str) -> None:
        if (good, note) != (self._answers, self._note):
            self._answers = good
            self._note_down(note)

    def _note_down(self, note: str) -> None:
        self._note = note
        self._changed()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _not_prepared(part: str, error: Exception) -> StackError:
    what = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else str(error)
    return StackError(START_FAILED, f"{part} did not start: {what}", field=part)
