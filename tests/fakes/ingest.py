"""The ingest service's tables and locks in memory, proven by the same suite as PostgreSQL's."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.chassis.errors import DependencyUnavailable
from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.devices import KEPT_PER_DEVICE
from services.ingest.domain.leftovers import Discard, ExpiredUpload
from services.ingest.domain.media import MediaForm, PageStart, Usage
from services.ingest.domain.quota import MOST_EVENTS, Quota, Used
from services.ingest.domain.records import DeviceRow, KeptStream, LookupKeyRow, MediaRow, NewSegment, Segment, UploadRow
from services.ingest.ports import Request, Survey
from services.ingest.ports.outcomes import Addition, Completion, MediaUpdate, Registration, Remembering
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, Purpose, PurposeScope, SubjectScope
from tests.fakes.change_feed import FakeChangeStore

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class MediaRows(dict[UUID, MediaRow]):
    """Rows whose triggers record what changes."""

    def __init__(self, changes: FakeChangeStore) -> None:
        super().__init__()
        self._changes = changes

    def __setitem__(self, media_id: UUID, row: MediaRow) -> None:
        before = self.get(media_id)
        super().__setitem__(media_id, row)
        if before is None or before.sealed_metadata != row.sealed_metadata:
            self._changes.record_changed(row.subject, [f"media/{media_id}"])

    def __delitem__(self, media_id: UUID) -> None:
        subject = self[media_id].subject
        super().__delitem__(media_id)
        self._changes.record_deleted(subject, [f"media/{media_id}"])


@dataclass
class Tables:
    """The rows, for tests that look at what is stored."""

    uploads: dict[UUID, UploadRow] = field(default_factory=dict)
    media: dict[UUID, MediaRow] = field(default_factory=dict)
    tails: dict[UUID, bytes | None] = field(default_factory=dict)
    segments: dict[UUID, dict[int, Segment]] = field(default_factory=dict)
    lookup_keys: dict[str, LookupKeyRow] = field(default_factory=dict)
    deleted: dict[tuple[str, UUID], tuple[bytes, int, datetime]] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    discards: dict[UUID, tuple[UploadRow | MediaRow, tuple[str, ...]]] = field(default_factory=dict)
    fences: dict[tuple[str, Purpose], int] = field(default_factory=dict)
    events: list[OutgoingEvent] = field(default_factory=list)
    requests: dict[tuple[str, UUID], tuple[bytes, datetime]] = field(default_factory=dict)
    devices: dict[tuple[str, UUID], DeviceRow] = field(default_factory=dict)
    heard: set[tuple[str, str]] = field(default_factory=set)
    missing: dict[UUID, bool] = field(default_factory=dict)
    """By data key, whether it is broken."""
    is_down: bool = False

    def __post_init__(self) -> None:
        self.changes: FakeChangeStore | None = None
        """Takes down what the triggers do."""

    def is_of_upload(self, subject: str, request_id: UUID) -> bool:
        return any((row.subject, row.request_id) == (subject, request_id) for row in self.uploads.values())

    def used_of(self, subject: str) -> Used:
        """Return what triggers and statements have counted."""
        owners = [row.subject for row in self.uploads.values()]
        owners += [row.subject for row in self.media.values()]
        owners += [owner for owner, _ in (*self.deleted, *self.requests)]
        return Used(self.used.get(subject, 0), owners.count(subject))

    def has_room(self, subject: str, quota: Quota, size_bytes: int = 0) -> bool:
        return quota.has_room(self.used_of(subject), size_bytes)

    def is_fenced(self, row: UploadRow) -> bool:
        return self.fences.get((row.subject, row.purpose), -1) >= row.purpose_revision

    def current(self, row: UploadRow) -> UploadRow | None:
        """Return the stored row if it is open, has the writer that `row` says, and is not fenced out."""
        stored = self.uploads.get(row.id)
        if stored is None or stored.subject != row.subject or stored.complete_time is not None:
            return None
        return None if stored.writer != row.writer or self.is_fenced(stored) else stored

    def kept(self, subject: str) -> list[MediaRow]:
        rows = [row for row in self.media.values() if row.subject == subject]
        return [replace(row, missing=row.data_key_id in self.missing) for row in rows]

    def add_segment(self, data_key_id: UUID, new: NewSegment) -> None:
        self.segments.setdefault(data_key_id, {})[new.position] = new.segment

    def discard_stream(self, row: UploadRow | MediaRow) -> None:
        assert row.data_key_id is not None
        pieces = self.segments.pop(row.data_key_id, {})
        self.discards[row.data_key_id] = (row, tuple(piece.object for piece in pieces.values()))
        self.used[row.subject] -= row.size_bytes


class FakeUploads:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, subject: str, upload_id: UUID) -> UploadRow | None:
        row = self._tables.uploads.get(upload_id)
        return row if row is not None and row.subject == subject else None

    async def page(self, subject: str, after: PageStart | None, limit: int, *, now: datetime) -> list[UploadRow]:
        rows = [row for row in self._tables.uploads.values() if row.subject == subject and row.complete_time is None]
        rows = [row for row in rows if row.expire_time > now]
        rows.sort(key=lambda row: (row.create_time, row.id), reverse=True)
        return [row for row in rows if after is None or (row.create_time, row.id) < (after.time, after.id)][:limit]

    async def survey(self, subject: str, request_id: UUID, *, bytes_tag: bytes, tag: bytes) -> Survey:
        kept = [row for row in self._tables.kept(subject) if row.tag == tag]
        return Survey(
            tuple(self._earlier(subject, request_id, bytes_tag)),
            tuple(kept),
            self._tables.used_of(subject),
            request_taken=(subject, request_id) in self._tables.requests,
        )

    def _earlier(self, subject: str, request_id: UUID, bytes_tag: bytes) -> list[UploadRow]:
        return [
            row
            for row in self._tables.uploads.values()
            if row.subject == subject
            and (row.request_id == request_id or (row.bytes_tag == bytes_tag and row.complete_time is None))
        ]

    async def add(self, row: UploadRow, *, quota: Quota) -> Addition:
        if not self._tables.has_room(row.subject, quota, row.size_bytes):
            return Addition.NO_ROOM
        if self._tables.is_fenced(row):
            return Addition.FENCED
        if self._earlier(row.subject, row.request_id, row.bytes_tag):
            return Addition.TAKEN
        self._tables.used[row.subject] = self._tables.used.get(row.subject, 0) + row.size_bytes
        self._tables.uploads[row.id] = row
        return Addition.ADDED

    async def add_complete(self, row: UploadRow, *, quota: Quota) -> Addition:
        if not self._tables.has_room(row.subject, quota):
            return Addition.NO_ROOM
        if all(
            (each.subject, each.request_id) != (row.subject, row.request_id) for each in self._tables.uploads.values()
        ):
            self._tables.uploads[row.id] = row
        return Addition.ADDED

    async def take_over(self, subject: str, upload_id: UUID) -> tuple[UploadRow, bytes | None] | None:
        row = await self.find(subject, upload_id)
        if row is None or row.complete_time is not None:
            return None
        self._tables.uploads[upload_id] = row = replace(row, writer=row.writer + 1)
        return row, self._tables.tails.get(upload_id)

    async def commit(self, row: UploadRow, new: NewSegment | None, *, tail: bytes | None) -> bool:
        if self._tables.is_down:
            raise DependencyUnavailable.of("database")
        stored = self._tables.current(row)
        if stored is None or stored.data_key_id is None:
            return False
        if new is not None and new.position in self._tables.segments.get(stored.data_key_id, {}):
            return False
        if new is not None:
            self._tables.add_segment(stored.data_key_id, new)
        self._tables.uploads[row.id] = row
        self._tables.tails[row.id] = tail
        return True

    async def complete(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime
    ) -> Completion:
        stored = self._tables.current(row)
        if stored is None or new.position in self._tables.segments.get(media.data_key_id, {}):
            return Completion.GONE
        if media.id in self._tables.media or any(
            (each.subject, each.tag) == (media.subject, media.tag) for each in self._tables.media.values()
        ):
            return Completion.KEPT_ALREADY
        self._finish(stored, media, new, event, now)
        for key, (tag, _, _) in list(self._tables.deleted.items()):
            if (key[0], tag) == (media.subject, media.tag):
                del self._tables.deleted[key]
        return Completion.STORED

    async def complete_at_once(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime, *, quota: Quota
    ) -> Completion:
        used, has_room = self._tables.used_of(row.subject), self._tables.has_room(row.subject, quota, row.size_bytes)
        fresh = await self.survey(row.subject, row.request_id, bytes_tag=b"", tag=row.tag) == Survey((), (), used)
        if not (fresh and has_room) or self._tables.is_fenced(row):
            return Completion.GONE
        self._tables.used[row.subject] = used.size_bytes + row.size_bytes
        self._tables.uploads[row.id] = row
        return await self.complete(row, media, new, event, now)

    async def replace(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, *, old: MediaRow, now: datetime
    ) -> Completion:
        stored, kept = self._tables.current(row), self._tables.media.get(media.id)
        if stored is None or kept is None or _version(kept) != _version(old):
            return Completion.GONE
        self._finish(stored, replace(media, upload_time=kept.upload_time), new, event, now)
        self._tables.discard_stream(old)
        return Completion.STORED

    async def complete_as_duplicate(self, row: UploadRow, *, media_id: UUID, now: datetime) -> None:
        stored = self._tables.uploads.get(row.id)
        if stored is not None and stored.subject == row.subject and stored.complete_time is None:
            self._tables.discard_stream(stored)
            self._tables.tails.pop(row.id, None)
            self._tables.uploads[row.id] = replace(
                stored,
                media_id=media_id,
                data_key_id=None,
                committed_bytes=stored.size_bytes,
                chunked_bytes=stored.size_bytes,
                complete_time=now,
            )

    async def discard(self, subject: str, upload_id: UUID, now: datetime) -> None:
        row = await self.find(subject, upload_id)
        if row is not None:
            del self._tables.uploads[upload_id]
            self._tables.tails.pop(upload_id, None)
            if row.complete_time is None:
                self._tables.discard_stream(row)

    async def cancel(self, subject: str, upload_id: UUID, now: datetime, *, writer: int | None = None) -> bool:
        row = await self.find(subject, upload_id)
        if row is None or row.complete_time is not None or writer not in (None, row.writer):
            return False
        await self.discard(subject, upload_id, now)
        return True

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        return _in_order(self._tables, data_key_id)

    def _finish(self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime) -> None:
        self._tables.uploads[row.id] = replace(
            row, committed_bytes=row.size_bytes, chunked_bytes=row.size_bytes, complete_time=now
        )
        self._tables.tails.pop(row.id, None)
        self._tables.media[media.id] = media
        self._tables.add_segment(media.data_key_id, new)
        self._tables.events.append(event)


class FakeMedia:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, subject: str, media_id: UUID) -> MediaRow | None:
        return next((row for row in self._tables.kept(subject) if row.id == media_id), None)

    async def find_many(self, subject: str, media_ids: Collection[UUID]) -> list[MediaRow]:
        return [row for row in self._tables.kept(subject) if row.id in media_ids]

    async def find_tagged(self, subject: str, tags: Collection[bytes]) -> list[MediaRow]:
        return [row for row in self._tables.kept(subject) if row.tag in tags]

    async def page(
        self, subject: str, after: PageStart | None, limit: int, *, newest_first: bool = True
    ) -> list[MediaRow]:
        rows = self._tables.kept(subject)
        rows.sort(key=_place, reverse=newest_first)
        return [row for row in rows if after is None or (_place(row) < after if newest_first else _place(row) > after)][
            :limit
        ]

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        return _in_order(self._tables, data_key_id)

    async def discard(self, row: MediaRow, now: datetime) -> None:
        stored = self._tables.media.get(row.id)
        if stored is not None and stored.data_key_id == row.data_key_id:
            del self._tables.media[row.id]
            self._tables.discard_stream(stored)

    async def update(
        self, row: MediaRow, event: OutgoingEvent | None, request: Request | None, now: datetime, *, quota: Quota
    ) -> MediaUpdate:
        noted = None if request is None else self._tables.requests.get((row.subject, request.id))
        if request is not None and noted is not None:
            return MediaUpdate.REPEATED if noted[0] == request.tag else MediaUpdate.REQUEST_ID_REUSED
        if request is not None and self._tables.is_of_upload(row.subject, request.id):
            return MediaUpdate.REQUEST_ID_REUSED
        if request is not None and not self._tables.has_room(row.subject, quota):
            return MediaUpdate.NO_ROOM
        if event is not None and sum(each.person == row.subject for each in self._tables.events) >= MOST_EVENTS:
            return MediaUpdate.TOO_MANY_EVENTS
        if event is not None:
            stored = self._tables.media.get(row.id)
            if stored is None or _version(stored) != (row.subject, row.data_key_id, row.metadata_revision - 1):
                return MediaUpdate.STALE
            self._tables.media[row.id] = row
            self._tables.events.append(event)
        if request is not None:
            self._tables.requests[row.subject, request.id] = (request.tag, now)
        return MediaUpdate.STORED

    async def deleted_tags(self, subject: str, tags: Collection[bytes]) -> set[bytes]:
        found = {tag for (owner, _), (tag, _, _) in self._tables.deleted.items() if owner == subject}
        return found & set(tags)

    async def was_deleted(self, subject: str, media_id: UUID) -> bool:
        return (subject, media_id) in self._tables.deleted

    async def tell_deleted(self, subject: str, media_id: UUID, now: datetime) -> None:
        row, key = self._tables.media.get(media_id), self._tables.lookup_keys.get(subject)
        if row is not None and key is not None:
            self._tables.deleted.setdefault((subject, media_id), (row.tag, key.purpose_revision, now))
        if self._tables.changes is not None:
            self._tables.changes.record_deleted(subject, [f"media/{media_id}"])

    async def used(self, subject: str) -> Used:
        return self._tables.used_of(subject)

    async def usage(self, subject: str, now: datetime) -> Usage:
        uploads = [row for row in self._tables.uploads.values() if row.subject == subject]
        return Usage(
            used=self._tables.used_of(subject),
            media_count=sum(row.subject == subject for row in self._tables.media.values()),
            open_upload_count=sum(row.complete_time is None and row.expire_time > now for row in uploads),
        )

    async def want_originals(self, consumer: str, event_id: str, subject: str, media_ids: Sequence[UUID]) -> int:
        if (consumer, event_id) in self._tables.heard:
            return 0
        self._tables.heard.add((consumer, event_id))
        wanted = [
            row
            for row in self._tables.media.values()
            if row.subject == subject
            and row.id in media_ids
            and row.form is MediaForm.REDUCED
            and not row.original_wanted
        ]
        self._tables.media |= {row.id: replace(row, original_wanted=True) for row in wanted}
        return len(wanted)


class FakeDevices:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, subject: str, device_id: UUID) -> DeviceRow | None:
        return self._tables.devices.get((subject, device_id))

    async def registered(self, subject: str) -> list[DeviceRow]:
        rows = [row for row in self._tables.devices.values() if row.subject == subject and row.revoke_time is None]
        return sorted(rows, key=lambda row: (row.last_seen_time, row.id), reverse=True)

    async def put(self, row: DeviceRow, *, replaces: UUID | None, most: int) -> Registration:
        stored = await self.find(row.subject, row.id)
        kept = sum(owner == row.subject for owner, _ in self._tables.devices)
        if replaces is None and (len(await self.registered(row.subject)) >= most or kept >= KEPT_PER_DEVICE * most):
            return Registration.TOO_MANY
        if stored is not None and (replaces is None or stored.data_key_id != replaces):
            return Registration.STALE
        fence = self._tables.fences.get((row.subject, Purpose.CLOUD_PROCESSING), -1)
        if fence >= row.purpose_revision or (stored is None and replaces is not None):
            return Registration.STALE
        self._tables.devices[row.subject, row.id] = row
        return Registration.STORED

    async def see(self, subject: str, device_id: UUID, hour: datetime) -> DeviceRow | None:
        before = await self.find(subject, device_id)
        if before is not None and before.revoke_time is None and before.last_seen_time < hour:
            self._tables.devices[subject, device_id] = replace(before, last_seen_time=hour)
        return before

    async def revoke(self, subject: str, device_id: UUID, now: datetime) -> DeviceRow | None:
        before = await self.find(subject, device_id)
        if before is not None and before.revoke_time is None:
            revoked = replace(before, data_key_id=None, sealed_description=None, revoke_time=now)
            self._tables.devices[subject, device_id] = revoked
            if self._tables.changes is not None:
                self._tables.changes.wake(subject)
        return before


class FakeLookupKeys:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, subject: str) -> LookupKeyRow | None:
        return self._tables.lookup_keys.get(subject)

    async def put(self, row: LookupKeyRow, *, replaces: UUID | None) -> bool:
        stored = self._tables.lookup_keys.get(row.subject)
        if (None if stored is None else stored.data_key_id) != replaces:
            return False
        self._tables.lookup_keys[row.subject] = row
        return True


class FakeMissing:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def streams(self, after: UUID, limit: int) -> list[KeptStream]:
        rows = sorted((row for row in self._tables.media.values() if row.id > after), key=lambda row: row.id)
        return [
            KeptStream(
                row.id,
                row.subject,
                row.data_key_id,
                tuple(_in_order(self._tables, row.data_key_id)),
                row.data_key_id in self._tables.missing,
            )
            for row in rows[:limit]
        ]

    async def mark(self, media: MediaRow | KeptStream, now: datetime, *, broken: bool) -> bool:
        row = self._tables.media.get(media.id)
        if row is None or row.data_key_id != media.data_key_id or row.data_key_id in self._tables.missing:
            return False
        self._tables.missing[media.data_key_id] = broken
        self._tell(media)
        return True

    async def unmark(self, media: MediaRow | KeptStream, *, opened: bool) -> bool:
        broken = self._tables.missing.get(media.data_key_id)
        if broken is None or (broken and not opened):
            return False
        del self._tables.missing[media.data_key_id]
        self._tell(media)
        return True

    def _tell(self, media: MediaRow | KeptStream) -> None:
        if self._tables.changes is not None:
            self._tables.changes.record_changed(media.subject, [f"media/{media.id}"])


class FakeRequests:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def remember(self, subject: str, request_id: UUID, tag: bytes, now: datetime, *, quota: Quota) -> Remembering:
        if self._tables.is_of_upload(subject, request_id):
            return Remembering.REUSED
        noted = self._tables.requests.get((subject, request_id))
        if noted is None and not self._tables.has_room(subject, quota):
            return Remembering.NO_ROOM
        self._tables.requests.setdefault((subject, request_id), (tag, now))
        return Remembering.NOTED if noted is None or noted[0] == tag else Remembering.REUSED


class FakeSweepTables:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def expired_uploads(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[ExpiredUpload]:
        rows = [row for row in self._tables.uploads.values() if row.expire_time <= now and str(row.id) not in without]
        oldest = sorted(rows, key=lambda row: row.expire_time)[:limit]
        return [ExpiredUpload(row.id, row.subject, row.complete_time is not None) for row in oldest]

    async def delete_complete(self, upload_ids: Sequence[UUID]) -> None:
        for upload_id in upload_ids:
            row = self._tables.uploads.get(upload_id)
            if row is not None and row.complete_time is not None:
                del self._tables.uploads[upload_id]

    async def discards(self, limit: int, without: AbstractSet[str] = frozenset()) -> list[Discard]:
        found = [Discard(key, row.subject, objects) for key, (row, objects) in self._tables.discards.items()]
        return [each for each in found if str(each.data_key_id) not in without][:limit]

    async def delete_discard(self, data_key_id: UUID) -> None:
        self._tables.discards.pop(data_key_id, None)

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        known = {piece.object for pieces in self._tables.segments.values() for piece in pieces.values()}
        known |= {name for _, objects in self._tables.discards.values() for name in objects}
        return set(names) - known

    async def forget_deleted(self, before: datetime) -> None:
        for key, (_, _, time) in list(self._tables.deleted.items()):
            if time < before:
                del self._tables.deleted[key]

    async def forget_requests(self, before: datetime) -> None:
        _pop(self._tables.requests, [key for key, (_, time) in self._tables.requests.items() if time < before])


class FakePurge:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def raise_fences(self, subject: str, purposes: Sequence[Purpose], revision: int) -> None:
        for purpose in purposes:
            key = (subject, purpose)
            self._tables.fences[key] = max(revision, self._tables.fences.get(key, revision))

    async def objects(self, order: PurgeOrder) -> list[str]:
        keys = {row.data_key_id for row in self._media(order)} | {row.data_key_id for row in self._uploads(order)}
        streams = [pieces for key, pieces in self._tables.segments.items() if key in keys]
        discarded = [objects for row, objects in self._tables.discards.values() if _covers(order, row)]
        return [piece.object for pieces in streams for piece in pieces.values()] + [
            name for objects in discarded for name in objects
        ]

    async def delete(self, order: PurgeOrder) -> tuple[Mapping[str, int], list[str]]:
        tables = self._tables
        media, uploads = self._media(order), self._uploads(order)
        gone = {row.id for row in media}
        uploads += [r for r in tables.uploads.values() if r.media_id in gone and r not in uploads]
        self._remember(order, media)
        counts = {"media": len(media), "upload": len(uploads), "segment": 0}
        missing = [row.data_key_id for row in media if row.data_key_id in tables.missing]
        counts["missing_media"] = _pop(tables.missing, missing)
        for made in media:
            del tables.media[made.id]
            tables.used[order.subject] -= made.size_bytes
        for row in uploads:
            del tables.uploads[row.id]
            tables.tails.pop(row.id, None)
            tables.used[order.subject] -= row.size_bytes if row.complete_time is None else 0
        for key in [made.data_key_id for made in media] + [row.data_key_id for row in uploads if row.data_key_id]:
            counts["segment"] += len(tables.segments.pop(key, {}))
        counts["discard"] = _pop(tables.discards, [k for k, (r, _) in tables.discards.items() if _covers(order, r)])
        counts |= self._delete_lookup(order)
        counts["request"] = _pop(tables.requests, self._requests(order))
        counts["device"] = _pop(tables.devices, self._devices(order))
        is_unused = order.subject in tables.used and tables.used_of(order.subject) == Used()
        counts["usage"] = _pop(tables.used, [order.subject] if is_unused else [])
        if tables.changes is not None and isinstance(order.scope, SubjectScope) and order.scope.account:
            tables.changes.forget_changes(order.subject)
        return {f"ingest.table.{table}": count for table, count in counts.items()}, []

    def _delete_lookup(self, order: PurgeOrder) -> dict[str, int]:
        tables = self._tables
        key = tables.lookup_keys.get(order.subject)
        covered = key is not None and _covers_at(order, Purpose.CLOUD_PROCESSING, key.purpose_revision, key.data_key_id)
        deleted = [
            entry
            for entry, (_, revision, _) in tables.deleted.items()
            if entry[0] == order.subject and _covers_at(order, Purpose.CLOUD_PROCESSING, revision, None)
        ]
        return {
            "lookup_key": _pop(tables.lookup_keys, [order.subject] if covered else []),
            "deleted_media": _pop(tables.deleted, deleted),
        }

    def _requests(self, order: PurgeOrder) -> list[tuple[str, UUID]]:
        if not isinstance(order.scope, SubjectScope):
            return []
        before = order.scope.erase_time
        return [key for key, (_, time) in self._tables.requests.items() if key[0] == order.subject and time <= before]

    def _devices(self, order: PurgeOrder) -> list[tuple[str, UUID]]:
        account = isinstance(order.scope, SubjectScope) and order.scope.account
        return [
            key
            for key, row in self._tables.devices.items()
            if key[0] == order.subject
            and (account or row.revoke_time is None)
            and _covers_at(order, Purpose.CLOUD_PROCESSING, row.purpose_revision, row.data_key_id)
        ]

    def _remember(self, order: PurgeOrder, media: Sequence[MediaRow]) -> None:
        key = self._tables.lookup_keys.get(order.subject)
        if key is not None and order.cause is PurgeCause.ERASURE and isinstance(order.scope, DataKeyScope):
            for row in media:
                entry = (row.tag, key.purpose_revision, order.create_time)
                self._tables.deleted.setdefault((row.subject, row.id), entry)

    def _media(self, order: PurgeOrder) -> list[MediaRow]:
        return [row for row in self._tables.media.values() if _covers(order, row)]

    def _uploads(self, order: PurgeOrder) -> list[UploadRow]:
        return [row for row in self._tables.uploads.values() if _covers(order, row)]


def _covers(order: PurgeOrder, row: UploadRow | MediaRow) -> bool:
    same_person = row.subject == order.subject
    return same_person and _covers_at(order, row.purpose, row.purpose_revision, row.data_key_id)


def _covers_at(order: PurgeOrder, purpose: Purpose, revision: int, data_key_id: UUID | None) -> bool:
    match order.scope:
        case DataKeyScope(ids):
            return data_key_id is not None and str(data_key_id) in ids
        case PurposeScope(ordered, highest):
            return purpose == ordered and revision <= highest
        case SubjectScope(highest, _):
            return revision <= highest


def _pop(table: dict[KeyT, ValueT], keys: Sequence[KeyT]) -> int:
    for key in keys:
        del table[key]
    return len(keys)


def _in_order(tables: Tables, data_key_id: UUID) -> list[Segment]:
    return [segment for _, segment in sorted(tables.segments.get(data_key_id, {}).items())]


def _version(row: MediaRow) -> tuple[str, UUID, int]:
    return row.subject, row.data_key_id, row.metadata_revision


def _place(row: MediaRow) -> PageStart:
    return PageStart(row.upload_time, row.id)
