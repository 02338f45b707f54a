"""Epoch keys in the transit engine of OpenBao or Vault: a named key each, of which no process ever has the secret.

For a person and a purpose the server derives two keys from that of an epoch (HMAC-SHA256): one wraps the purpose key,
the other goes into the wrapping of its data keys. They are in memory for a while; alone they open nothing.
"""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from services.chassis.clock import Clock
from services.retention.domain.keys import NO_CONTEXT, Derivation, PurposeKey, WrappedKey, context_of
from services.retention.epochs.data_keys import DataKeyWrapper
from services.retention.epochs.transit_server import KeyNotThere, TransitServer
from services.retention.epochs.wrapping import Wrapper
from services.retention.errors import EpochGone, KeysAway, WrapBroken

KEPT_SECONDS = 600.0
"""How long what was derived is in memory at most; as long work goes on without the server."""
MOST_KEPT = 50_000
_SEEN_SECONDS = 60.0
"""How long a key that was there is taken to be there."""
_FRESH_SECONDS = 5.0
"""How long a key that was not there is taken not to be there."""
_INFIX = "-epoch-"


@dataclass(frozen=True)
class _Derived:
    wrapping: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    time: float


class TransitEpochs:
    """Implements `ports.EpochKeys`.

    Args:
        server: Has the keys.
        prefix: What their names begin with; no other installation has keys of that name there.
        clock: Measures how old what is known is.
    """

    can_go_back = True
    """A snapshot of the server may be restored."""

    def __init__(self, server: TransitServer, prefix: str, clock: Clock) -> None:
        self._server = server
        self._prefix = f"{prefix}{_INFIX}"
        self._clock = clock
        self._derived: OrderedDict[Derivation, _Derived] = OrderedDict()
        self._present: frozenset[str] = frozenset()
        self._looked_at = float("-inf")
        self._shunned: frozenset[str] = frozenset()
        self._newest = ""

    @property
    def place(self) -> str:
        """The engine and the names of the keys there."""
        return f"the keys {self._prefix}* in {self._server}, of which an older snapshot may have been restored"

    @property
    def newest(self) -> str:
        """Id of the epoch that wraps now; empty before the first."""
        return self._newest

    async def look(self) -> None:
        """See which keys are there now, and forget what was derived from those that are not."""
        looked_at, names = self._clock.monotonic(), await self._server.names()
        self._present = frozenset(name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))
        self._looked_at = looked_at
        for each in [each for each in self._derived if each.epoch not in self._present]:
            del self._derived[each]

    async def fetch(self, wanted: Collection[Derivation]) -> None:
        """Have the server derive what was not at hand, or see that its key is gone."""
        contexts: defaultdict[str, set[bytes]] = defaultdict(set)
        for each in wanted:
            contexts[each.epoch].add(each.context)
        deriving = (self._derive(epoch, sorted(each)) for epoch, each in contexts.items() if epoch)
        ends = await asyncio.gather(*deriving, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, KeyNotThere):
                raise end
        if any(ends) or "" in contexts:
            await self.look()

    def require(self, wanted: Collection[Derivation]) -> None:
        """Make sure that all of this is at hand, or gone."""
        away = [each for each in wanted if self._kept(each) is None and not self._is_gone(each.epoch)]
        if away:
            raise KeysAway(away)

    def all(self) -> list[str]:
        """Return the ids of all epochs whose keys are there."""
        if self._age() > _SEEN_SECONDS:
            raise KeysAway([_LOOK])
        return sorted(self._present)

    def has(self, epoch: str) -> bool:
        """Tell whether the key of an epoch is there."""
        if epoch in self._shunned:
            return False
        if epoch in self._present and self._age() <= _SEEN_SECONDS:
            return True
        if self._is_gone(epoch):
            return False
        raise KeysAway([_LOOK])

    def fingerprint(self, epoch: str) -> bytes:
        """Return what tells the key of an epoch from another key of its name."""
        return self._get(Derivation(epoch, NO_CONTEXT)).salt

    async def ensure(self, epoch: str) -> bool:
        """Make the key of an epoch, or take the one that is there; tell whether it was made."""
        await self.look()
        if epoch in self._present:
            return False
        await self._server.make(f"{self._prefix}{epoch}")
        await self.look()
        return True

    def begin(self, epoch: str) -> None:
        """Wrap under an epoch from now on, unless a newer one has begun."""
        self._newest = max(self._newest, epoch)

    async def end(self, epoch: str) -> None:
        """Destroys the key of an epoch for good, and what was derived from it."""
        await self._server.destroy(f"{self._prefix}{epoch}")
        await self.look()

    def shun(self, epochs: Collection[str]) -> None:
        """Use the keys of these epochs never again, should they come back."""
        self._shunned = frozenset(epochs)

    def wrap(self, secret: bytes, aad: bytes) -> WrappedKey:
        """Wrap a key under what is derived from the newest epoch's.

        Raises:
            EpochGone: its key is lost.
        """
        key = self._get(Derivation(self._newest, context_of(aad))).wrapping
        return WrappedKey(self._newest, Wrapper(key).wrap(secret, aad))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> bytes:
        """Return a key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed, or another one has taken its place.
        """
        key = self._get(Derivation(wrapped.epoch, context_of(aad))).wrapping
        try:
            return Wrapper(key).unwrap(wrapped.sealed, aad)
        except WrapBroken as error:
            raise EpochGone(wrapped.epoch) from error

    def data_keys(self, key: PurposeKey, epochs: Collection[str] = ()) -> DataKeyWrapper:
        """Return what wraps and unwraps the data keys of a purpose key, with these epochs at hand.

        Raises:
            EpochGone: the purpose key's epoch is destroyed, or another one has taken its place.
        """
        context = context_of(key.aad)
        self.require([Derivation(epoch, context) for epoch in {key.wrapped.epoch, *epochs} if epoch])
        secret = self.unwrap(key.wrapped, key.aad)
        return DataKeyWrapper(key, secret, lambda epoch: self._get(Derivation(epoch, context)).salt)

    async def _derive(self, epoch: str, contexts: Collection[bytes]) -> None:
        inputs = [digest for context in contexts for digest in _inputs(context)]
        outputs = await self._server.derive(f"{self._prefix}{epoch}", inputs)
        now = self._clock.monotonic()
        for context, wrapping, salt in zip(contexts, outputs[::2], outputs[1::2], strict=True):
            self._keep(Derivation(epoch, context), _Derived(wrapping, salt, now))

    def _get(self, wanted: Derivation) -> _Derived:
        if wanted.epoch in self._shunned:
            raise EpochGone(wanted.epoch)
        kept = self._kept(wanted)
        if kept is not None:
            return kept
        if self._is_gone(wanted.epoch):
            raise EpochGone(wanted.epoch)
        raise KeysAway([wanted])

    def _kept(self, wanted: Derivation) -> _Derived | None:
        kept = self._derived.get(wanted)
        if kept is None or self._clock.monotonic() - kept.time > KEPT_SECONDS:
            return None
        return kept

    def _keep(self, derivation: Derivation, derived: _Derived) -> None:
        """Keep the newest, those derived first in front."""
        self._derived[derivation] = derived
        self._derived.move_to_end(derivation)
        oldest = derived.time - KEPT_SECONDS
        while len(self._derived) > MOST_KEPT or next(iter(self._derived.values())).time < oldest:
            self._derived.popitem(last=False)

    def _is_gone(self, epoch: str) -> bool:
        return epoch in self._shunned or (epoch not in self._present and self._age() <= _FRESH_SECONDS)

    def _age(self) -> float:
        return self._clock.monotonic() - self._looked_at


_LOOK = Derivation("", NO_CONTEXT)


def _inputs(context: bytes) -> tuple[bytes, bytes]:
    """Return what the server is asked for: digests, as it need not know who is meant."""
    return hashlib.sha256(b"purpose key|" + context).digest(), hashlib.sha256(b"data keys|" + context).digest()
