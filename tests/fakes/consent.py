"""Consent's stores, the keys of purposes and the news of changes, in memory.

The stores are proven by the same suite as the real ones (tests/contract/consent).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.chassis.errors import DependencyUnavailable
from services.chassis.limits.allowance import DAY, DailyLimit
from services.chassis.person_leases import TurnTaken
from services.chassis.seal import SealBroken
from services.consent.domain.change import Change, Request
from services.consent.domain.consent import ConsentEvent
from services.consent.domain.history import History, RecordedResult
from services.consent.domain.notice import Notice, NoticeServing, PublishedNotice
from services.consent.domain.policy import Policy
from services.consent.errors import NoticeInvalid, RequestIdReused
from services.consent.ports import BEGINNING
from services.keyring.errors import GrantStale, PersonErased


@dataclass
class _Books:
    revision: int = 0
    events: list[ConsentEvent] = field(default_factory=list)
    answers: dict[UUID, tuple[Request, datetime, int]] = field(default_factory=dict)
    pending: Change | None = None
    holder: object | None = None
    freed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def latest(self, up_to: int | None = None) -> tuple[ConsentEvent, ...]:
        events = [event for event in self.events if up_to is None or event.revision <= up_to]
        return tuple({event.purpose: event for event in events}.values())


class Crash(Exception):
    """The process died here."""


class FakeLedger:
    def __init__(self, books: _Books, store: "FakeConsentStore", subject: str, holder: object | None = None) -> None:
        self._all_books = books
        self._holder = holder
        self._store = store
        self._subject = subject

    @property
    def _books(self) -> _Books:
        if self._holder is not None and self._all_books.holder is not self._holder:
            raise TurnTaken.by_other_work()
        return self._all_books

    async def history(self) -> History:
        return History(self._books.revision, self._books.latest(), self._books.pending)

    async def recorded_result(self, request_id: UUID) -> RecordedResult | None:
        if request_id not in self._books.answers:
            if self._store.notice_store.recorded(self._subject, request_id):
                raise RequestIdReused.of(request_id)
            return None
        request, time, revision = self._books.answers[request_id]
        made = tuple(event for event in self._books.events if event.request_id == request_id)
        return RecordedResult(request, time, made, self._books.latest(revision))

    async def answer_times(self, *, since: datetime, limit: int) -> Sequence[datetime]:
        times = sorted((time for _, time, _ in self._books.answers.values() if time > since), reverse=True)
        return times[:limit]

    async def begin(self, change: Change) -> None:
        self._store.crash_if_told("begin")
        self._books.pending = change
        self._books.revision = max(self._books.revision, change.revision)
        self._store.feed.tell(self._subject)

    async def finish(self, change: Change) -> None:
        self._store.crash_if_told("finish")
        self._books.revision = max(self._books.revision, change.revision)
        self._books.events.extend(change.events)
        if change.request is not None:
            self._books.answers[change.request.id] = (change.request, change.begin_time, change.revision)
        self._books.pending = None
        if change.grants or change.ends:
            self._store.announced.append((self._subject, change))
        self._store.feed.tell(self._subject)

    async def purge(self, erase_time: datetime) -> Mapping[str, int]:
        events = [event for event in self._books.events if event.event_time > erase_time]
        answers = {id_: answer for id_, answer in self._books.answers.items() if answer[1] > erase_time}
        deleted = {
            "consent.table.consent_event": len(self._books.events) - len(events),
            "consent.table.request": len(self._books.answers) - len(answers),
            "consent.table.notice_serving": self._store.notice_store.purge(self._subject, erase_time),
        }
        if not (events or answers or self._store.notice_store.knows(self._subject)):
            self._books.revision = 0
        self._books.events, self._books.answers = events, answers
        self._store.feed.tell(self._subject)
        return {store: count for store, count in deleted.items() if count}


class FakeConsentStore:
    """Implements `ports.ConsentStore`."""

    def __init__(self) -> None:
        self._books: dict[str, _Books] = defaultdict(_Books)
        self.feed = FakeChangeFeed()
        self.notice_store = FakeNoticeStore(self._answered)
        self.announced: list[tuple[str, Change]] = []
        self.crash_at: str | None = None
        self.unreadable: set[str] = set()

    def _answered(self, subject: str, request_id: UUID) -> bool:
        return request_id in self._books[subject].answers

    def backup(self, subject: str) -> _Books:
        """Return a copy of a person's books, to be put back later."""
        books = self._books[subject]
        return replace(books, events=[*books.events], answers={**books.answers})

    def restore(self, subject: str, backup: _Books) -> None:
        self._books[subject] = replace(backup, events=[*backup.events], answers={**backup.answers})

    def crash_if_told(self, step: str) -> None:
        if self.crash_at == step:
            self.crash_at = None
            raise Crash(step)

    @asynccontextmanager
    async def locked(self, subject: str, *, overtakes: bool = False) -> AsyncIterator[FakeLedger]:
        if subject in self.unreadable:
            raise SealBroken
        books, holder = self._books[subject], object()
        async with books.freed:
            await books.freed.wait_for(lambda: books.holder is None or overtakes)
        books.holder = holder
        try:
            yield FakeLedger(books, self, subject, holder)
        finally:
            if books.holder is holder:
                books.holder = None
            async with books.freed:
                books.freed.notify_all()

    async def history(self, subject: str) -> History:
        return await FakeLedger(self._books[subject], self, subject).history()

    async def recorded_result(self, subject: str, request_id: UUID) -> RecordedResult | None:
        return await FakeLedger(self._books[subject], self, subject).recorded_result(request_id)

    async def events(self, subject: str, *, below: int | None, limit: int) -> Sequence[ConsentEvent]:
        events = [event for event in self._books[subject].events if below is None or event.revision < below]
        return events[::-1][:limit]

    async def due(
        self, now: datetime, *, limit: int, since: datetime = BEGINNING, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        due = [subject for subject in self._books if self._is_due(subject, now, since)]
        return [subject for subject in due if subject not in without][:limit]

    async def unfinished(
        self, begun_before: datetime, *, limit: int, without: AbstractSet[str] = frozenset()
    ) -> Sequence[str]:
        pending = {subject: books.pending for subject, books in self._books.items() if books.pending is not None}
        old = [each for each, change in pending.items() if each not in without and change.begin_time < begun_before]
        return sorted(old, key=lambda subject: pending[subject].begin_time)[:limit]

    def _is_due(self, subject: str, now: datetime, since: datetime) -> bool:
        return any(
            event.expire_time is not None and since < event.expire_time <= now
            for event in self._books[subject].latest()
        )


class FakeNoticeStore:
    """Implements `ports.NoticeStore`; `answered` tells whether a decision was answered under a request id."""

    def __init__(self, answered: Callable[[str, UUID], bool]) -> None:
        self._answered = answered
        self._published: dict[str, PublishedNotice] = {}
        self._servings: dict[tuple[str, UUID], tuple[NoticeServing, Request]] = {}
        self.policies: dict[str, Policy] = {}

    async def publish(self, notices: Sequence[Notice], *, now: datetime) -> None:
        for notice in notices:
            editions = {p.notice.bundle.edition: p.notice.digest for p in self._published.values()}
            if editions.get(notice.bundle.edition, notice.digest) != notice.digest:
                raise NoticeInvalid.edition_changed(notice.bundle.edition)
            self._published.setdefault(notice.digest, PublishedNotice(notice, now, current=False))

    async def record_policy(self, policy: Policy, *, now: datetime) -> None:
        self.policies.setdefault(policy.sha256, policy)

    async def notice(self, digest: str) -> PublishedNotice | None:
        return next((p for p in self._newest_first() if p.notice.digest == digest), None)

    async def current(self) -> PublishedNotice:
        return self._newest_first()[0]

    async def notices(self, *, below_edition: str | None, limit: int) -> Sequence[PublishedNotice]:
        newest = self._newest_first()
        return [p for p in newest if below_edition is None or p.notice.bundle.edition < below_edition][:limit]

    async def record_serving(
        self, subject: str, serving: NoticeServing, request: Request, *, limit: DailyLimit
    ) -> NoticeServing:
        if self._answered(subject, request.id):
            raise RequestIdReused.of(request.id)
        if (subject, request.id) not in self._servings:
            times = [each.serve_time for (who, _), (each, _) in self._servings.items() if who == subject]
            now = serving.serve_time
            limit.check(sorted((time for time in times if time > now - DAY), reverse=True), now)
        first, first_request = self._servings.setdefault((subject, request.id), (serving, request))
        if first_request.sha256 != request.sha256:
            raise RequestIdReused.of(request.id)
        return first

    async def serving(self, subject: str, serving_id: UUID) -> NoticeServing | None:
        return next((s for (who, _), (s, _) in self._servings.items() if (who, s.id) == (subject, serving_id)), None)

    def recorded(self, subject: str, request_id: UUID) -> bool:
        return (subject, request_id) in self._servings

    def knows(self, subject: str) -> bool:
        return any(who == subject for who, _ in self._servings)

    def purge(self, subject: str, erase_time: datetime) -> int:
        ended = [
            key
            for key, (serving, _) in self._servings.items()
            if key[0] == subject and serving.serve_time <= erase_time
        ]
        for key in ended:
            del self._servings[key]
        return len(ended)

    def _newest_first(self) -> list[PublishedNotice]:
        newest = sorted(self._published.values(), key=lambda p: p.notice.bundle.edition, reverse=True)
        return [replace(p, current=place == 0) for place, p in enumerate(newest)]


class FakeChangeFeed:
    """Implements `ports.ChangeFeed`."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Event]] = defaultdict(list)

    def tell(self, subject: str) -> None:
        for event in self._waiting[subject]:
            event.set()

    @contextmanager
    def waiting(self, subject: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting[subject].append(event)
        try:
            yield event
        finally:
            self._waiting[subject].remove(event)


@dataclass(frozen=True)
class GrantedKey:
    """A purpose key that exists."""

    revision: int
    expire_time: datetime
    reach_back_time: datetime | None


class FakePurposeKeys:
    """Implements `services.keyring.purpose_keys.PurposeKeys`.

    `silent` makes every call fail without an effect; `deaf` makes it fail after its effect.
    """

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], GrantedKey] = {}
        self.erase_times: dict[str, datetime] = {}
        self.silent = False
        self.deaf = False
        self._seen: dict[tuple[str, str], int] = {}

    def see(self, subject: str, purpose: str, revision: int) -> None:
        """Make retention know of a revision that the books do not."""
        self._seen[subject, purpose] = revision

    def erase(self, subject: str, now: datetime) -> None:
        """Erases a person, as they may ask retention to."""
        self.erase_times[subject] = now
        self.keys = {owner: key for owner, key in self.keys.items() if owner[0] != subject}
        self._seen = {owner: revision for owner, revision in self._seen.items() if owner[0] != subject}

    def lose(self, subject: str, *purposes: str) -> None:
        """Lose keys, as when the epoch directory is gone."""
        for purpose in purposes:
            del self.keys[subject, purpose]

    def of(self, subject: str) -> set[str]:
        """Return the purposes that have a key."""
        return {purpose for who, purpose in self.keys if who == subject}

    async def grant(
        self,
        *,
        subject: str,
        purpose: str,
        revision: int,
        expire_time: datetime,
        decide_time: datetime,
        reach_back_time: datetime | None = None,
    ) -> int:
        self._answer_or_not()
        owner = (subject, purpose)
        if subject in self.erase_times and decide_time <= self.erase_times[subject]:
            raise PersonErased("the person was erased")
        seen = self._seen.get(owner, 0)
        if revision < seen or (revision == seen and owner not in self.keys):
            raise GrantStale("a later decision is known", metadata={"revision": str(revision), "current": str(seen)})
        self._seen[owner] = revision
        self.keys[owner] = GrantedKey(revision, expire_time, reach_back_time)
        self._be_heard_or_not()
        return revision

    async def destroy(self, *, subject: str, purposes: Sequence[str], revision: int) -> int:
        self._answer_or_not()
        for purpose in purposes:
            owner = (subject, str(purpose))
            if owner in self.keys and self.keys[owner].revision <= revision:
                del self.keys[owner]
            self._seen[owner] = max(self._seen.get(owner, 0), revision)
        self._be_heard_or_not()
        return max(seen for (who, _), seen in self._seen.items() if who == subject)

    async def lives(self, *, subject: str, purpose: str) -> bool:
        self._answer_or_not()
        return (subject, str(purpose)) in self.keys

    def _answer_or_not(self) -> None:
        if self.silent:
            raise DependencyUnavailable("the key service does not answer")

    def _be_heard_or_not(self) -> None:
        if self.deaf:
            raise DependencyUnavailable("the key service's answer was lost")
