"""What the suggestion service needs, in memory: its tables, and the analysis service."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from PIL import Image

from services.chassis.errors import DependencyUnavailable
from services.chassis.messaging.events import OutgoingEvent
from services.suggestion.domain.suggestions import Decision, Standing, State
from services.suggestion.ports import AnalyzedPhoto, DecisionRow, Due, RenditionRow, SuggestionRow
from tests.fakes.change_feed import FakeChangeFeed, FakeChangeStore
from tests.fakes.clock import FakeClock


@dataclass
class Tables:
    """What a database holds."""

    suggestions: dict[UUID, SuggestionRow] = field(default_factory=dict)
    renditions: dict[tuple[UUID, int], RenditionRow] = field(default_factory=dict)
    decisions: dict[tuple[str, UUID], tuple[DecisionRow, datetime]] = field(default_factory=dict)
    dues: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    upload_times: dict[str, datetime] = field(default_factory=dict)
    fences: dict[tuple[str, str], int] = field(default_factory=dict)
    tombstones: dict[UUID, datetime] = field(default_factory=dict)
    events: set[tuple[str, str]] = field(default_factory=set)
    published: list[OutgoingEvent] = field(default_factory=list)


class FakeSuggestions:
    """Implements `Suggestions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_person(self, subject: str) -> list[SuggestionRow]:
        return [row for row in self._tables.suggestions.values() if row.subject == subject]

    async def find(self, subject: str, suggestion_id: UUID) -> SuggestionRow | None:
        row = self._tables.suggestions.get(suggestion_id)
        return row if row is not None and row.subject == subject else None

    async def renditions(self, suggestion_ids: Sequence[UUID]) -> list[RenditionRow]:
        rows = [row for row in self._tables.renditions.values() if row.suggestion_id in suggestion_ids]
        return sorted(rows, key=lambda row: row.number)

    async def add(self, row: SuggestionRow) -> bool:
        fenced = self._tables.fences.get((row.subject, row.purpose), -1) >= row.purpose_revision
        if fenced or row.data_key_id in self._tables.tombstones:
            return False
        self._tables.suggestions[row.id] = row
        return True

    async def add_rendition(self, row: RenditionRow) -> None:
        self._tables.renditions[row.suggestion_id, row.number] = row

    async def move(self, suggestion_id: UUID, standing: Standing, now: datetime) -> None:
        row = self._tables.suggestions[suggestion_id]
        before = standing.before_dismissal and standing.before_dismissal.value
        self._tables.suggestions[suggestion_id] = replace(
            row, state=standing.state.value, state_before_dismissal=before, update_time=now
        )

    async def offer_again(self, suggestion_id: UUID, now: datetime) -> None:
        row = self._tables.suggestions[suggestion_id]
        self._tables.suggestions[suggestion_id] = replace(row, offer_time=now)

    async def expire(self, offered_before: datetime, now: datetime) -> list[tuple[str, UUID]]:
        old = [
            row
            for row in self._tables.suggestions.values()
            if row.state in ("READY", "SEEN") and row.offer_time < offered_before
        ]
        for row in old:
            await self.move(row.id, Standing(State.EXPIRED), now)
        return [(row.subject, row.id) for row in old]

    async def delete(self, suggestion_ids: Sequence[UUID]) -> int:
        old = [each for each in suggestion_ids if each in self._tables.suggestions]
        for suggestion_id in old:
            del self._tables.suggestions[suggestion_id]
        for key in [key for key in self._tables.renditions if key[0] in old]:
            del self._tables.renditions[key]
        return len(old)

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        return set(names) - {row.object for row in self._tables.renditions.values()}


class FakeDecisions:
    """Implements `Decisions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, subject: str, request_id: UUID) -> DecisionRow | None:
        found = self._tables.decisions.get((subject, request_id))
        return found[0] if found else None

    async def add(self, subject: str, request_id: UUID, suggestion_id: UUID, decision: Decision, now: datetime) -> None:
        self._tables.decisions.setdefault((subject, request_id), (DecisionRow(suggestion_id, decision.value), now))

    async def delete(self, subject: str, until: datetime) -> int:
        old = [key for key, (_, time) in self._tables.decisions.items() if key[0] == subject and time <= until]
        for key in old:
            del self._tables.decisions[key]
        return len(old)

    async def forget(self, before: datetime) -> int:
        old = [key for key, (_, time) in self._tables.decisions.items() if time < before]
        for key in old:
            del self._tables.decisions[key]
        return len(old)


class FakeRefreshes:
    """Implements `Refreshes`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def mark_due(self, subject: str, now: datetime, upload_time: datetime | None = None) -> None:
        first, _ = self._tables.dues.get(subject, (now, now))
        self._tables.dues[subject] = (first, now)
        if upload_time is not None:
            self._tables.upload_times[subject] = min(upload_time, self._tables.upload_times.get(subject, upload_time))

    async def due(
        self, now: datetime, quiet: timedelta, patience: timedelta, without: AbstractSet[str] = frozenset()
    ) -> list[Due]:
        ripe = [
            (first, subject)
            for subject, (first, last) in self._tables.dues.items()
            if subject not in without and (last <= now - quiet or first <= now - patience)
        ]
        return [Due(subject, self._tables.upload_times.get(subject)) for _, subject in sorted(ripe)]

    async def waits(self, subject: str) -> bool:
        return subject in self._tables.dues

    async def count(self, now: datetime, quiet: timedelta, patience: timedelta, limit: int) -> int:
        return len(await self.due(now, quiet, patience))

    async def done(self, subject: str, until: datetime) -> None:
        if subject in self._tables.dues and self._tables.dues[subject][1] <= until:
            await self.delete(subject)
        elif subject in self._tables.upload_times:
            self._tables.upload_times[subject] = max(until, self._tables.upload_times[subject])

    async def delete(self, subject: str) -> int:
        self._tables.upload_times.pop(subject, None)
        return 0 if self._tables.dues.pop(subject, None) is None else 1


class FakePurges:
    """Implements `Purges`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def sealed_under(self, data_key_ids: Sequence[str]) -> list[UUID]:
        found = {row.id for row in self._tables.suggestions.values() if str(row.data_key_id) in data_key_ids}
        return [
            *found,
            *{
                row.suggestion_id
                for row in self._tables.renditions.values()
                if str(row.data_key_id) in data_key_ids and row.suggestion_id not in found
            },
        ]

    async def made_under(self, subject: str, purposes: Sequence[str], revision: int) -> list[UUID]:
        return [
            row.id
            for row in self._tables.suggestions.values()
            if row.subject == subject and row.purpose in purposes and row.purpose_revision <= revision
        ]

    async def raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        key = (subject, purpose)
        self._tables.fences[key] = max(self._tables.fences.get(key, revision), revision)

    async def tombstone_keys(self, data_key_ids: Sequence[str], now: datetime) -> None:
        for data_key_id in data_key_ids:
            self._tables.tombstones.setdefault(UUID(data_key_id), now)

    async def forget_tombstones(self, before: datetime) -> int:
        old = [key for key, time in self._tables.tombstones.items() if time < before]
        for key in old:
            del self._tables.tombstones[key]
        return len(old)


class FakeChangeRecords:
    """Implements `ChangeRecords`: what the feed is told."""

    def __init__(self, feed: FakeChangeStore) -> None:
        self._feed = feed

    async def changed(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        self._feed.record_changed(subject, [f"suggestions/{each}" for each in suggestion_ids])

    async def deleted(self, subject: str, suggestion_ids: Sequence[UUID]) -> None:
        self._feed.record_deleted(subject, [f"suggestions/{each}" for each in suggestion_ids])

    async def forget(self, subject: str, until: datetime) -> None:
        self._feed.forget_changes(subject)


class FakeStore:
    """Implements the service's `Store`."""

    def __init__(self, tables: Tables, feed: FakeChangeStore) -> None:
        self._tables = tables
        self.changes = FakeChangeRecords(feed)
        self.suggestions = FakeSuggestions(tables)
        self.decisions = FakeDecisions(tables)
        self.refreshes = FakeRefreshes(tables)
        self.purges = FakePurges(tables)

    async def first_time(self, consumer: str, event_id: str) -> bool:
        known = (consumer, event_id) in self._tables.events
        self._tables.events.add((consumer, event_id))
        return not known

    async def publish(self, event: OutgoingEvent) -> None:
        self._tables.published.append(event)


class FakeDatabase:
    """Implements the service's `Database`; a block that raises leaves its writes, so tests look at outcomes only."""

    def __init__(self, feed: FakeChangeStore | None = None) -> None:
        self.tables = Tables()
        self._feed = feed or FakeChangeFeed(FakeClock()).store
        self.before_lock: Callable[[], object] = lambda: None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeStore]:
        yield FakeStore(self.tables, self._feed)

    @asynccontextmanager
    async def locked(self, subject: str) -> AsyncIterator[FakeStore]:
        self.before_lock()
        yield FakeStore(self.tables, self._feed)

    @asynccontextmanager
    async def turn(self, subject: str) -> AsyncIterator[None]:
        yield


class FakeAnalysis:
    """Implements `Analysis`: photos that a test puts there, each a plain colour."""

    def __init__(self) -> None:
        self.analyzed: dict[str, list[AnalyzedPhoto]] = {}
        self.failing_after: int | None = None
        """Pictures that it still sends before it answers no more."""
        self.broken: set[str] = set()
        """Media whose pictures are no pictures."""

    async def photos(self, subject: str) -> list[AnalyzedPhoto]:
        return list(self.analyzed.get(subject, []))

    async def picture(self, subject: str, media: str) -> bytes | None:
        if self.failing_after is not None:
            self.failing_after -= 1
            if self.failing_after < 0:
                raise DependencyUnavailable.of("analysis")
        found = next((each for each in self.analyzed.get(subject, []) if each.photo.media == media), None)
        if found is None:
            return None
        if media in self.broken:
            return b"no picture"
        colour = tuple(abs(hash(media)) >> shift & 255 for shift in (0, 8, 16))
        scale = 200 / max(found.photo.width, found.photo.height)
        size = (max(1, round(found.photo.width * scale)), max(1, round(found.photo.height * scale)))
        buffer = io.BytesIO()
        Image.new("RGB", size, colour).save(buffer, "JPEG")
        return buffer.getvalue()
