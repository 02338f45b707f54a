"""Turns of the items of a loop: each gets its own, and one that fails never stops the others."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias, TypeVar

import structlog

from services.chassis.clock import Clock
from services.chassis.error_details import failure_reason, is_outage
from services.chassis.failed_work.set_aside import FailedItems, Item, SetAside
from services.chassis.metrics import Measurements

_OUTAGES_IN_A_ROW = 3
"""Items that fail one after the other as in an outage, until it is taken for one."""

_log = structlog.stdlib.get_logger()

T = TypeVar("T")
Fetch: TypeAlias = Callable[[AbstractSet[str]], Awaitable[Sequence[T]]]
"""Returns what is to be done now, the oldest first, without the items of these ids."""


class Turns:
    """Gives each item of a loop its turn, whatever becomes of the others.

    An item that fails is set aside. One that fails as in an outage may be blameless: it is when the next ones fail
    too. So it is only passed over, and set aside when it fails that way twice while another one succeeded.
    """

    def __init__(self, kind: str, set_aside: SetAside, clock: Clock, measurements: Measurements | None = None) -> None:
        """Describe the loop.

        Args:
            kind: Name of what it works on, such as `purge_order`; one of a closed set.
            set_aside: Where failed items are kept.
            clock: Says whose time has come again.
            measurements: Replaces the process's own.
        """
        self._kind = kind
        self._items = FailedItems(kind, set_aside, clock, measurements)
        self._passed_over: set[str] = set()
        self._suspects: set[str] = set()
        self._known: AbstractSet[str] = frozenset()

    async def take(self, fetch: Fetch[T], item: Callable[[T], Item], work: Callable[[T], Awaitable[object]]) -> int:
        """Do the work once for each item that is fetched, batch after batch, and return how many succeeded.

        Args:
            fetch: Returns a batch of what is due; what is done must be due no more.
            item: Names one.
            work: Does it.

        Raises:
            Exception: what the last ones failed of, if that looks like an outage: the loop waits, nothing is lost.
        """
        done, outages, tried = 0, list[Exception](), set[str]()
        while batch := await self._fetched(fetch, item, tried):
            for each in batch:
                tried.add(item(each).id)
                try:
                    await work(each)
                except Exception as error:  # noqa: BLE001  # the wall: one item never stops the others
                    outages = [*outages, error] if await self._failed(item(each), error) else []
                else:
                    await self._succeeded(item(each).id)
                    done, outages = done + 1, []
                if len(outages) == _OUTAGES_IN_A_ROW:
                    raise outages[-1]
        if outages:
            raise outages[-1]
        return done

    async def known(self) -> AbstractSet[str]:
        """Return the ids of all that is set aside, whether or not its time has come again."""
        return (await self._items.known()).keys()

    async def _fetched(self, fetch: Fetch[T], item: Callable[[T], Item], tried: AbstractSet[str]) -> Sequence[T]:
        """Return what is due and was not tried yet; those passed over come when nothing else does."""
        self._known, waiting = await self._items.known_and_waiting()
        found = [each for each in await fetch(waiting | self._passed_over) if item(each).id not in tried]
        if found or tried or not self._passed_over:
            return found
        self._passed_over.clear()
        return await fetch(waiting)

    async def _failed(self, item: Item, error: Exception) -> bool:
        """Set an item aside unless an outage may be to blame; tell whether it may."""
        if is_outage(error) and item.id not in self._suspects:
            self._passed_over.add(item.id)
            _log.warning("item_waits", kind=self._kind, item=item.id, reason=failure_reason(error))
            return True
        await self._items.put(item, error)
        return False

    async def _succeeded(self, id_: str) -> None:
        self._suspects |= self._passed_over
        self._suspects.discard(id_)
        self._passed_over.clear()
        if id_ in self._known:
            await self._items.clear(id_)
