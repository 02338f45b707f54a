"""Standing of a person: what holds at one moment, from the newest event of each purpose."""

from collections.abc import Iterable
from datetime import datetime

from services.consent.domain.consent import GRANTED, ConsentEvent, ConsentState, PurposeState, Status
from services.consent.domain.needs import NEEDS, needs_of
from services.keyring import PURPOSES, Purpose


class Standing:
    """What stands for a person at one moment, read from the newest event of each purpose."""

    def __init__(self, latest: Iterable[ConsentEvent], now: datetime) -> None:
        self._latest = {event.purpose: event for event in latest}
        self._now = now

    def event(self, purpose: Purpose) -> ConsentEvent | None:
        """Return the newest event of a purpose."""
        return self._latest.get(purpose)

    def granted(self, purpose: Purpose) -> bool:
        """Tells whether the newest event is a grant, even one that has run out unnoticed."""
        event = self._latest.get(purpose)
        return event is not None and event.type in GRANTED

    def stands(self, purpose: Purpose) -> bool:
        """Tells whether a purpose may be used now: granted, not run out, and so all that it needs."""
        return self.granted(purpose) and not self._ran_out(purpose) and all(map(self.stands, NEEDS[purpose]))

    def lapsed(self) -> tuple[Purpose, ...]:
        """Return the purposes whose newest event is a grant that stands no more."""
        return tuple(p for p in PURPOSES if self.granted(p) and not self.stands(p))

    def granted_until(self, time: datetime) -> tuple[Purpose, ...]:
        """Return the purposes whose newest event is a grant from then or earlier."""
        return tuple(p for p in PURPOSES if self.granted(p) and self._latest[p].event_time <= time)

    def dependants(self, purpose: Purpose) -> tuple[Purpose, ...]:
        """Return the granted purposes that fall when `purpose` does."""
        return tuple(p for p in PURPOSES if purpose in needs_of(p) and self.granted(p))

    def _end_time(self, purpose: Purpose) -> datetime | None:
        events = map(self._latest.get, {purpose} | needs_of(purpose))
        return min((e.expire_time for e in events if e is not None and e.expire_time is not None), default=None)

    def _ran_out(self, purpose: Purpose) -> bool:
        expire_time = self._latest[purpose].expire_time
        return expire_time is not None and expire_time <= self._now

    def state(self, *, revision: int, ending: frozenset[Purpose] = frozenset()) -> ConsentState:
        """Return where every purpose stands; a grant that ran out shows as expired before its event is written."""
        return ConsentState(revision, tuple(self._purpose_state(p, p in ending) for p in PURPOSES))

    def _purpose_state(self, purpose: Purpose, ending: bool) -> PurposeState:
        event = self._latest.get(purpose)
        if event is None:
            return PurposeState(purpose)
        if event.type in GRANTED and not self.stands(purpose):
            return PurposeState(purpose, Status.EXPIRED, self._end_time(purpose), notice=event.notice)
        return PurposeState(
            purpose,
            event.type.status,
            event.event_time,
            event.expire_time,
            event.notice,
            event.older_media_start_time if event.type in GRANTED else None,
            end_pending=ending,
        )
