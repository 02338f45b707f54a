"""Epoch keys in one named Secret of Kubernetes, each sealed under the root key, as files of them are."""

import asyncio
from collections.abc import Collection

from services.chassis.clock import Clock
from services.retention.domain.keys import NO_CONTEXT, Derivation, PurposeKey, WrappedKey, new_key
from services.retention.epochs.cluster_secret import ClusterSecret, Entries
from services.retention.epochs.data_keys import DataKeyWrapper
from services.retention.epochs.wrapping import Wrapper, fingerprint
from services.retention.errors import EpochGone, KeysAway, KeysUnavailable, WrapBroken

KEPT_SECONDS = 3600.0
"""How long keys that were read are used without the API server; as long work goes on without it."""
_SEEN_SECONDS = 60.0
"""How long a key that was there is taken to be there, while the API server answers."""
_FRESH_SECONDS = 5.0
"""How long a key that was not there is taken not to be there."""
_SUFFIX = ".epoch"
_LOOK = Derivation("", NO_CONTEXT)


class SecretEpochs:
    """Implements `ports.EpochKeys`.

    Args:
        secret: Where the keys are.
        root_key: 32 bytes.
        clock: Measures how old what is known is.
    """

    can_go_back = True
    """Another tool may restore the Secret."""

    def __init__(self, secret: ClusterSecret, root_key: bytes, clock: Clock) -> None:
        self._secret = secret
        self._root = Wrapper(root_key)
        self._clock = clock
        self._sealed: Entries = {}
        self._opened: dict[str, bytes] = {}
        self._looked_at = self._good_until = float("-inf")
        self._fetching = asyncio.Lock()
        self._shunned: frozenset[str] = frozenset()
        self._newest = ""

    @property
    def place(self) -> str:
        """The Secret and the root key."""
        return f"the content of {self._secret} as it was last, and the file PELLICULE_ROOT_KEY_FILE"

    @property
    def newest(self) -> str:
        """Id of the epoch that wraps now; empty before the first."""
        return self._newest

    async def look(self) -> None:
        """Read the Secret, and forget what is no longer there."""
        looked_at = self._clock.monotonic()
        self._take(await self._secret.read(), looked_at)

    async def fetch(self, wanted: Collection[Derivation]) -> None:
        """Read the Secret; keys that were read a while ago are good for a moment while it cannot be."""
        async with self._fetching:
            if all(self._is_at_hand(each.epoch) or self._is_gone(each.epoch) for each in wanted):
                return  # another call has fetched it meanwhile
            try:
                await self.look()
            except KeysUnavailable:
                if self._age() > KEPT_SECONDS or not all(each.epoch in self._sealed for each in wanted):
                    raise
                self._good_until = self._clock.monotonic() + _FRESH_SECONDS

    def require(self, wanted: Collection[Derivation]) -> None:
        """Make sure that all of this is at hand, or gone."""
        away = [each for each in wanted if not self._is_at_hand(each.epoch) and not self._is_gone(each.epoch)]
        if away:
            raise KeysAway(away)

    def all(self) -> list[str]:
        """Return the ids of all epochs whose keys are there."""
        if self._age() > _SEEN_SECONDS:
            raise KeysAway([_LOOK])
        return sorted(self._sealed)

    def has(self, epoch: str) -> bool:
        """Tell whether the key of an epoch is there and opens."""
        try:
            self._key(epoch)
        except EpochGone:
            return False
        return True

    def fingerprint(self, epoch: str) -> bytes:
        """Return what tells the key of an epoch from another key of its name."""
        return fingerprint(self._key(epoch))

    async def ensure(self, epoch: str) -> bool:
        """Make the key of an epoch, or take the one that is there; tell whether it was made."""
        sealed, looked_at = self._root.wrap(new_key(), epoch.encode()), self._clock.monotonic()
        entries = await self._secret.change(lambda present: {f"{epoch}{_SUFFIX}": sealed, **present})
        self._take(entries, looked_at)
        self._key(epoch)
        return entries[f"{epoch}{_SUFFIX}"] == sealed

    def begin(self, epoch: str) -> None:
        """Wrap under an epoch from now on, unless a newer one has begun."""
        self._newest = max(self._newest, epoch)

    async def end(self, epoch: str) -> None:
        """Take the key of an epoch out of the Secret, and see that it is gone."""
        name = f"{epoch}{_SUFFIX}"
        await self._secret.change(lambda present: {each: value for each, value in present.items() if each != name})
        await self.look()
        if epoch in self._sealed:
            raise KeysUnavailable.because(str(self._secret), f"has the key of {epoch} after it was taken out")

    def shun(self, epochs: Collection[str]) -> None:
        """Use the keys of these epochs never again, should they come back."""
        self._shunned = frozenset(epochs)

    def wrap(self, secret: bytes, aad: bytes) -> WrappedKey:
        """Wrap a key under the newest epoch's.

        Raises:
            EpochGone: its key is lost.
        """
        return WrappedKey(self._newest, Wrapper(self._key(self._newest)).wrap(secret, aad))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> bytes:
        """Return a key in clear.

        Raises:
            EpochGone: the epoch's key is destroyed, or another one has taken its place.
        """
        key = self._key(wrapped.epoch)
        try:
            return Wrapper(key).unwrap(wrapped.sealed, aad)
        except WrapBroken as error:
            raise EpochGone(wrapped.epoch) from error

    def data_keys(self, key: PurposeKey, epochs: Collection[str] = ()) -> DataKeyWrapper:
        """Return what wraps and unwraps the data keys of a purpose key, with these epochs at hand.

        Raises:
            EpochGone: the purpose key's epoch is destroyed, or another one has taken its place.
        """
        self.require([Derivation(epoch, NO_CONTEXT) for epoch in {key.wrapped.epoch, *epochs} if epoch])
        return DataKeyWrapper(key, self.unwrap(key.wrapped, key.aad), self._key)

    def _take(self, entries: Entries, looked_at: float) -> None:
        found = {name.removesuffix(_SUFFIX): value for name, value in entries.items() if name.endswith(_SUFFIX)}
        same = {epoch for epoch, value in found.items() if self._sealed.get(epoch) == value}
        self._opened = {epoch: key for epoch, key in self._opened.items() if epoch in same}
        self._sealed, self._looked_at = found, looked_at
        self._good_until = looked_at + _SEEN_SECONDS

    def _key(self, epoch: str) -> bytes:
        if self._is_gone(epoch):
            raise EpochGone(epoch)
        if not self._is_at_hand(epoch):
            raise KeysAway([Derivation(epoch, NO_CONTEXT)])
        if epoch not in self._opened:
            try:
                self._opened[epoch] = self._root.unwrap(self._sealed[epoch], epoch.encode())
            except WrapBroken as error:
                raise EpochGone(epoch) from error
        return self._opened[epoch]

    def _is_at_hand(self, epoch: str) -> bool:
        return epoch in self._sealed and self._clock.monotonic() <= self._good_until

    def _is_gone(self, epoch: str) -> bool:
        return epoch in self._shunned or (epoch not in self._sealed and self._age() <= _FRESH_SECONDS)

    def _age(self) -> float:
        return self._clock.monotonic() - self._looked_at
