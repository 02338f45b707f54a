"""Work with keys of epochs that may be elsewhere: what is not at hand is fetched, and the work begun again.

Nothing waits for a server of keys while it holds a connection of the database: the transaction is given up first.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.retention.errors import KeysAway, KeysUnavailable
from services.retention.ports import EpochKeys

_MOST_TIMES = 20
"""More than there are epochs: each time something is at hand that was not before."""

ResultT = TypeVar("ResultT")


async def with_keys(epoch_keys: EpochKeys, work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do work that is either done as a whole or not at all, such as a transaction.

    Raises:
        KeysUnavailable: what it needs cannot be fetched.
    """
    for _ in range(_MOST_TIMES):
        try:
            return await work()
        except KeysAway as away:
            await epoch_keys.fetch(away.wanted)
    raise KeysUnavailable.because(epoch_keys.place, "what is fetched is not at hand a moment later: call again")


async def at_hand(epoch_keys: EpochKeys, answer: Callable[[], ResultT]) -> ResultT:
    """Return what keys of epochs answer; raises what `with_keys` does."""

    async def work() -> ResultT:
        return answer()

    return await with_keys(epoch_keys, work)
