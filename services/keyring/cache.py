"""Keys in memory: for 5 seconds at most, and only under a lease of the retention service."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.chassis.clock import Clock

HOLD_SECONDS = 5.0
"""A key is in memory for this long at most, counted from before it was asked for."""
LEASE_SECONDS = 3.0
"""The longest lease: without a word from the retention service for this long, nothing is held."""


@dataclass(frozen=True)
class Revocation:
    """What the retention service destroyed.

    Attributes:
        subject: The person's pseudonym.
        purposes: Names of purposes whose key is gone.
        data_key_ids: Data keys that are gone.
        subject_erased: Whether everything of the person is gone.
    """

    subject: str
    purposes: frozenset[str] = frozenset()
    data_key_ids: frozenset[str] = frozenset()
    subject_erased: bool = False

    def covers(self, subject: str, purpose: str) -> bool:
        """Tells whether every key of this person and purpose is gone."""
        return self.subject == subject and (self.subject_erased or purpose in self.purposes)


@dataclass(eq=False)
class Opening:
    """A request for keys that is on its way; it learns what is destroyed meanwhile.

    Attributes:
        subject: The person's pseudonym.
        purpose: Name of the purpose.
        asked_at: When it began, on the clock's monotonic seconds.
        lease: Number of the unbroken lease under which it was asked; what is destroyed later is heard of.
        void: Whether the purpose's key was destroyed since, so that the answer says nothing.
        lost_ids: Data keys destroyed since.
    """

    subject: str
    purpose: str
    asked_at: float
    lease: int
    void: bool = False
    lost_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Held:
    key: bytes = field(repr=False)
    until: float


class KeyCache:
    """The keys that a process holds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], dict[str, _Held]] = {}
        self._openings: set[Opening] = set()
        self._lease = 0
        self._lease_end = float("-inf")

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def renew(self, until: float) -> None:
        """Prolong the lease; one that had ended is another lease."""
        if not self._has_lease():
            self.drop_all()
            self._lease += 1
        self._lease_end = max(self._lease_end, until)

    def tidy(self) -> None:
        """Lets go of what is over its time, and of everything when the lease is over."""
        if self._has_lease():
            self._sweep()
        else:
            self.drop_all()

    def drop_all(self) -> None:
        """Lets go of everything, and of the lease: it may be missed what is destroyed."""
        self._lease_end = float("-inf")
        self._held.clear()

    def revoke(self, revocation: Revocation) -> None:
        """Lets go of what was destroyed, also of what is on its way."""
        for owner in [owner for owner in self._held if owner[0] == revocation.subject]:
            self._revoke_held(owner, revocation)
        for opening in self._openings:
            opening.void |= revocation.covers(opening.subject, opening.purpose)
            opening.lost_ids |= revocation.data_key_ids

    def get(self, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return those of the keys that are held and may still be used."""
        if not self._has_lease():
            self.drop_all()
            return {}
        now = self._clock.monotonic()
        held = self._held.get((subject, purpose), {})
        return {id_: held[id_].key for id_ in ids if id_ in held and held[id_].until > now}

    @contextmanager
    def opening(self, subject: str, purpose: str) -> Iterator[Opening]:
        """Watches a request for keys while it is on its way."""
        opening = Opening(subject, purpose, self._clock.monotonic(), self._lease)
        self._openings.add(opening)
        try:
            yield opening
        finally:
            self._openings.discard(opening)

    def put(self, opening: Opening, keys: Mapping[str, bytes]) -> None:
        """Hold what a request brought, if it was asked under the lease that there is."""
        if self._has_lease() and opening.lease == self._lease:
            until = opening.asked_at + HOLD_SECONDS
            held = self._held.setdefault((opening.subject, opening.purpose), {})
            held.update({id_: _Held(key, until) for id_, key in keys.items()})

    def _has_lease(self) -> bool:
        return self._clock.monotonic() < self._lease_end

    def _revoke_held(self, owner: tuple[str, str], revocation: Revocation) -> None:
        if revocation.covers(*owner):
            del self._held[owner]
            return
        for id_ in revocation.data_key_ids:
            self._held[owner].pop(id_, None)

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        for owner, held in list(self._held.items()):
            kept = {id_: entry for id_, entry in held.items() if entry.until > now}
            if kept:
                self._held[owner] = kept
            else:
                del self._held[owner]
