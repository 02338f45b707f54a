"""Supervisor of a stack: starts its parts as their needs allow, keeps them running, stops them in reverse order.

Run as `python -m deploy.local.supervisor HOME`, its settings in the environment; `pellicule up` does, and checks them.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.accounts import hand_over, service_accounts
from deploy.local.authority import ensure_credentials
from deploy.local.disk import check_disk, is_full
from deploy.local.errors import StackError
from deploy.local.files import write_private
from deploy.local.home import StackHome
from deploy.local.leftovers import identify, remove_leftovers
from deploy.local.lock import locked
from deploy.local.logs import rotate_all
from deploy.local.parts.object_store import ObjectStoreChoice
from deploy.local.plan import Plan, Unit, make_plan
from deploy.local.settings import OBJECT_STORE, StackSettings
from deploy.local.state import PartState, Phase, StackState, write_state
from deploy.local.watch import Watch
from services.chassis.clock import Clock, SystemClock

_HOUSEKEEPING_SECONDS = 15.0
_DEFAULT_STORE: ObjectStoreChoice = "seaweedfs"


class Supervisor:
    """One stack, from start to stop.

    Args:
        home: Its folder, locked by the caller.
        object_store: Which S3 server it has.
        settings: What its operator has set.
        clock: What time it is.
    """

    def __init__(self, home: StackHome, object_store: ObjectStoreChoice, settings: StackSettings, clock: Clock) -> None:
        self._home = home
        self._object_store = object_store
        self._settings = settings
        self._clock = clock
        self._identity = identify(os.getpid())
        self._phase = Phase.STARTING
        self._watches: tuple[Watch, ...] = ()
        self._absent: tuple[str, ...] = ()
        self._unwritten = False

    async def run(self, stop: asyncio.Event) -> None:
        """Run the stack until `stop` is set.

        Raises:
            StackError: a part could not be started; everything has been stopped again.
        """
        accounts = service_accounts(self._home, self._settings)
        hand_over(self._home, accounts)
        plan = make_plan(self._home, self._object_store, self._settings, accounts)
        try:
            await self._run_parts(plan, stop)
        finally:
            plan.ports.close()

    async def _run_parts(self, plan: Plan, stop: asyncio.Event) -> None:
        self._absent = plan.absent
        self._watches = tuple(self._watch(unit) for unit in plan.units)
        lives = [asyncio.create_task(self._life(watch)) for watch in self._watches]
        end = asyncio.create_task(_wait(stop))
        others = [end, asyncio.create_task(self._announce_ready()), asyncio.create_task(self._keep_house())]
        try:
            await asyncio.wait([end, *lives], return_when=asyncio.FIRST_COMPLETED)
            for life in lives:
                if life.done():
                    life.result()
        finally:
            await self._stop_all([*lives, *others])

    async def _stop_all(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._phase = Phase.STOPPING
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        results = await asyncio.gather(*map(self._stop, self._watches), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _life(self, watch: Watch) -> None:
        for need in watch.unit.needs:
            await self._watch_of(need).ready.wait()
        await watch.run()

    async def _announce_ready(self) -> None:
        for watch in self._watches:
            await watch.ready.wait()
        self._phase = Phase.READY
        self._write_down()

    async def _keep_house(self) -> None:
        """Keep logs short, and write down what could not be while the disk was full."""
        while True:
            await self._clock.sleep(_HOUSEKEEPING_SECONDS)
            rotate_all(self._home.logs, limit=self._settings.log_bytes, kept=self._settings.logs_kept)
            if self._unwritten:
                self._write_down()

    def _watch(self, unit: Unit) -> Watch:
        return Watch(unit, self._clock, self._write_down, lambda: is_full(self._home.path))

    async def _stop(self, watch: Watch) -> None:
        """Stop a part once everything that needs it has stopped."""
        for other in self._watches:
            if watch.unit.part.name in other.unit.needs:
                await other.stopped.wait()
        await watch.stop()

    def _watch_of(self, name: str) -> Watch:
        return next(watch for watch in self._watches if watch.unit.part.name == name)

    def _write_down(self) -> None:
        state = StackState(
            phase=self._phase,
            supervisor=self._identity,
            object_store=self._object_store,
            parts=(*(watch.state for watch in self._watches), *map(_absent_part, self._absent)),
            litter=tuple(pattern for watch in self._watches for pattern in watch.unit.part.litter()),
            settings=dict(self._settings.values),
        )
        self._unwritten = True
        with contextlib.suppress(OSError):  # a full disk ends no supervisor
            write_state(self._home, state)
            self._unwritten = False


def _absent_part(name: str) -> PartState:
    note = f"left out: this checkout has no services.{name}"
    return PartState(name, ready=False, process=None, restarts=0, address="", started_at="", note=note)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def supervise(home: StackHome, settings: StackSettings) -> None:
    """Run a stack until SIGTERM or SIGINT; leave a state file only when it failed.

    Raises:
        StackError: what kept it from running, in one line.
    """
    os.umask(0o077)
    with locked(home):
        try:
            remove_leftovers(home)
            object_store = _settled_object_store(home, settings.object_store)
            check_disk(home, object_store)
            ensure_credentials(home, SystemClock(), settings.certificate_names)
            asyncio.run(_run(home, object_store, settings))
        except (StackError, OSError) as error:
            failure = error if isinstance(error, StackError) else _from_system(home, error)
            _write_failure(home, failure)
            raise failure from error
        home.state.unlink(missing_ok=True)


async def _run(home: StackHome, object_store: ObjectStoreChoice, settings: StackSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(name, stop.set)
    await Supervisor(home, object_store, settings, SystemClock()).run(stop)


def _settled_object_store(home: StackHome, wanted: ObjectStoreChoice | None) -> ObjectStoreChoice:
    """Objects in one server are not in the other, so a stack keeps to the one that it began with."""
    if not home.object_store.exists():
        write_private(home.object_store, (wanted or _DEFAULT_STORE).encode())
    kept: ObjectStoreChoice = "minio" if home.object_store.read_text(encoding="ascii") == "minio" else "seaweedfs"
    if wanted not in (None, kept):
        message = f"the stack in {home.path} keeps its objects in {kept}: start it without this choice, or set"
        raise StackError(
            "OBJECT_STORE_SETTLED",
            f"{message} PELLICULE_HOME to another folder for one with {wanted}",
            field=OBJECT_STORE,
        )
    return kept


def _from_system(home: StackHome, error: OSError) -> StackError:
    what = f"{error.strerror}: {error.filename}" if error.filename else str(error)
    return StackError("SYSTEM", f"the stack in {home.path} could not run: {what}", field=str(error.filename or ""))


def _write_failure(home: StackHome, error: StackError) -> None:
    failure = {"reason": error.reason, "message": error.message, "field": error.field}
    with contextlib.suppress(OSError):  # the log says it as well
        write_state(home, StackState(Phase.FAILED, identify(os.getpid()), "", error=failure))


def main(arguments: Sequence[str]) -> int:
    """Run the supervisor of the stack in the folder given; its failure is in the state file."""
    (home,) = arguments
    try:
        supervise(StackHome(Path(home)), StackSettings.inherited(os.environ))
    except StackError as error:
        sys.stderr.write(f"{error.reason}: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
