"""The analysis service's tables in memory; proven by the same suite as the real ones (tests/contract/analysis)."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from services.analysis.domain.media import (
    Claim,
    MediaState,
    MetadataUpdate,
    ParkedReason,
    PreviewSize,
    StoredMedia,
    analysis_name,
)
from services.analysis.domain.model_set import ModelSet
from services.analysis.domain.rows import (
    CommitOutcome,
    DeletionSet,
    MediaStatus,
    RenewedRecord,
    SealedFindings,
    SealedResult,
    StaleRecord,
    StoredPreview,
    UpdateOutcome,
)
from services.keyring import Purpose
from tests.fakes.change_feed import FakeChangeFeed
from tests.fakes.clock import FakeClock


@dataclass
class _Media:
    stored: StoredMedia
    next_attempt: datetime
    received: datetime
    state: MediaState = MediaState.PENDING
    parked: ParkedReason | None = None
    generation: int = 1
    attempts: int = 0
    faults: int = 0
    claim: UUID | None = None
    claim_end: datetime | None = None
    drafts: list[str] = field(default_factory=list)
    analyzed: datetime | None = None
    renewal: bool = False

    def is_due(self, now: datetime) -> bool:
        return self.state is MediaState.PENDING and self._is_free(now)

    def is_due_for_renewal(self, now: datetime) -> bool:
        return self.renewal and self.state is not MediaState.PENDING and self._is_free(now)

    def _is_free(self, now: datetime) -> bool:
        return self.next_attempt <= now and (self.claim_end is None or self.claim_end <= now)


class FakeAnalysisStore:
    """Implements `Work`, `MetadataTable`, `Library` and `Purge`; everything happens at once.

    Attributes:
        records: Findings by media and purpose.
        previews: Previews by media and size.
        feed: What is told of changes.
        events: What was told of media: id and state.
        before_commit: Called just before results are committed, for what happens at the last moment.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.feed = FakeChangeFeed(clock or FakeClock(), "WatchAnalyses")
        self.records: dict[tuple[UUID, str], SealedFindings] = {}
        self.previews: dict[tuple[UUID, PreviewSize], StoredPreview] = {}
        self.events: list[tuple[UUID, MediaState]] = []
        self.before_commit: Callable[[], None] = lambda: None
        self._media: dict[UUID, _Media] = {}
        self._fences: dict[tuple[str, str], int] = {}
        self._tombstones: dict[UUID, datetime] = {}

    async def announce(self, media: StoredMedia, now: datetime) -> bool:
        fenced = self._fences.get((media.subject, media.purpose), -1) >= media.purpose_revision
        if fenced or UUID(media.data_key_id) in self._tombstones:
            return False
        known = self._media.get(media.media)
        if known is not None and not _takes_the_place_of(media, known.stored):
            return False
        self._media[media.media] = _Media(media, now, now) if known is None else self._replaced(known, media, now)
        self._changed([media.media])
        return True

    async def claim(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        due = sorted(
            (media for media in self._media.values() if media.is_due(now)),
            key=lambda media: (media.next_attempt, media.stored.media),
        )
        return [self._claim(media, until) for media in due[:limit]]

    async def claim_renewals(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        due = [media for media in self._media.values() if media.is_due_for_renewal(now)]
        latest = sorted(due, key=lambda media: (-media.received.timestamp(), media.stored.media))
        return [self._claim(media, until) for media in latest[:limit]]

    async def commit(self, results: Sequence[SealedResult], now: datetime) -> CommitOutcome:
        self.before_commit()
        fit = [each for each in results if self._holds(each.claim) and not self._is_refused(each)]
        objects: set[str] = set()
        keys: dict[str, tuple[str, ...]] = {}
        for each in fit:
            media = self._media[each.claim.stored.media]
            objects |= set(media.drafts)
            replaced = self._store(each)
            objects |= {row.object for row in replaced if isinstance(row, StoredPreview)}
            ids = tuple(str(row.data_key_id) for row in replaced)
            keys[media.stored.subject] = keys.get(media.stored.subject, ()) + ids
            self._close(media, each, now)
        self._changed([each.claim.stored.media for each in fit])
        kept = {row.object for row in self.previews.values()}
        return CommitOutcome(
            frozenset(each.claim.id for each in fit),
            tuple(objects - kept),
            {subject: ids for subject, ids in keys.items() if ids},
            tuple(each.claim.stored.media for each in fit if self._is_outdated(each.claim)),
        )

    async def release(self, claims: Collection[Claim], *, at: datetime, fault: bool) -> None:
        for claim in claims:
            if self._holds(claim):
                media = self._media[claim.stored.media]
                media.claim = media.claim_end = None
                media.next_attempt = at
                media.faults += fault

    async def defer(self, claims: Collection[Claim], *, at: datetime) -> None:
        for claim in claims:
            if self._holds(claim):
                media = self._media[claim.stored.media]
                media.claim = media.claim_end = None
                media.next_attempt = at
                media.attempts = media.faults = 0

    async def renew_stale(self, models: ModelSet, now: datetime) -> int:
        stale = {row.media_id for row in self.records.values() if row.models != models.for_purpose(_of(row.purpose))}
        found = [self._media[id_] for id_ in stale]
        chosen = [media for media in found if media.state is not MediaState.PENDING and not media.renewal]
        for media in chosen:
            media.renewal, media.next_attempt = True, now
            media.attempts = media.faults = 0
        return len(chosen)

    async def renew_media(self, subject: str, media: UUID, now: datetime) -> bool:
        kept = self._media.get(media)
        if kept is None or kept.stored.subject != subject or kept.state is not MediaState.DONE or kept.renewal:
            return False
        kept.renewal, kept.next_attempt = True, now
        kept.attempts = kept.faults = 0
        key = (media, kept.stored.purpose)
        self.records[key] = replace(self.records[key], models="")
        return True

    async def want_purpose(self, subject: str, purpose: Purpose, now: datetime) -> int:
        chosen = [
            media
            for media in self._media.values()
            if media.stored.subject == subject
            and media.state is not MediaState.PARKED
            and (media.stored.media, purpose) not in self.records
        ]
        self._changed([media.stored.media for media in chosen if media.state is MediaState.DONE])
        for media in chosen:
            if media.state is MediaState.DONE:
                media.attempts, media.next_attempt = 0, now
            media.state = MediaState.PENDING
            media.generation += 1
        return len(chosen)

    async def subjects_without(self, purpose: Purpose, *, after: str, limit: int) -> list[str]:
        found = {
            media.stored.subject
            for media in self._media.values()
            if media.state is MediaState.DONE and (media.stored.media, purpose) not in self.records
        }
        return sorted(subject for subject in found if subject > after)[:limit]

    async def update_metadata(self, update: MetadataUpdate) -> UpdateOutcome:
        media = self._media.get(update.media)
        if media is None or media.stored.subject != update.subject:
            return UpdateOutcome.UNKNOWN
        if media.stored.metadata_revision >= update.metadata_revision:
            return UpdateOutcome.KNOWN
        if media.stored.data_key_id != update.data_key_id:
            return UpdateOutcome.UNKNOWN
        media.stored = replace(
            media.stored, sealed_metadata=update.sealed_metadata, metadata_revision=update.metadata_revision
        )
        return UpdateOutcome.UPDATED

    async def media_with_stale_records(self, limit: int, without: AbstractSet[str]) -> list[tuple[str, UUID]]:
        stale = await self.stale_records([each for each in sorted(self._media) if str(each) not in without])
        return [(each.subject, each.media) for each in stale][:limit]

    async def stale_records(self, media: Sequence[UUID]) -> list[StaleRecord]:
        own = [(each.stored, self.records.get((id_, each.stored.purpose))) for id_, each in self._media.items()]
        return [
            StaleRecord(
                stored.media,
                stored.subject,
                stored.purpose,
                UUID(stored.data_key_id),
                stored.sealed_metadata,
                stored.metadata_revision,
                record.data_key_id,
                record.sealed,
            )
            for stored, record in sorted(own, key=lambda pair: pair[0].media)
            if record is not None and record.metadata_revision < stored.metadata_revision and stored.media in media
        ]

    async def commit_records(self, records: Sequence[RenewedRecord]) -> None:
        for record in records:
            for key, row in self.records.items():
                older = row.metadata_revision < record.metadata_revision
                if row.media_id == record.media and row.data_key_id == record.data_key_id and older:
                    self.records[key] = replace(row, sealed=record.sealed, metadata_revision=record.metadata_revision)
                    self.events.append((record.media, self._media[record.media].state))
                    self._changed([record.media])

    async def statuses(self, subject: str, media: Sequence[UUID] | None = None) -> list[MediaStatus]:
        return [
            _status(each)
            for id_, each in self._media.items()
            if each.stored.subject == subject and (media is None or id_ in media)
        ]

    async def findings(self, subject: str, media: Sequence[UUID] | None = None) -> list[SealedFindings]:
        owned = self._owned(subject)
        return [
            row for row in self.records.values() if row.media_id in owned and (media is None or row.media_id in media)
        ]

    async def own_findings(self, media: Sequence[UUID]) -> list[SealedFindings]:
        chosen = [self._media[id_].stored for id_ in media if id_ in self._media]
        return [self.records[each.media, each.purpose] for each in chosen if (each.media, each.purpose) in self.records]

    async def stored_previews(self, subject: str, media: Sequence[UUID], size: PreviewSize) -> list[StoredPreview]:
        owned = self._owned(subject)
        rows = (self.previews.get((id_, size)) for id_ in media if id_ in owned)
        return [row for row in rows if row is not None]

    async def progress(self, subject: str) -> Mapping[MediaState, int]:
        return Counter(each.state for each in await self.statuses(subject))

    async def at_work(self, now: datetime) -> bool:
        pending = [media for media in self._media.values() if media.state is MediaState.PENDING]
        return any(media.claim_end is not None and media.claim_end > now for media in pending)

    async def tombstone_keys(self, subject: str, ids: Sequence[str], now: datetime) -> tuple[DeletionSet, int]:
        wanted = {UUID(id_) for id_ in ids}
        self._tombstones |= {id_: now for id_ in wanted if id_ not in self._tombstones}
        whole = {media for media in self._owned(subject) if UUID(self._media[media].stored.data_key_id) in wanted}
        whole |= {row.media_id for row in self.previews.values() if row.data_key_id in wanted}
        whole |= {
            row.media_id
            for row in self.records.values()
            if row.data_key_id in wanted and row.purpose == self._media[row.media_id].stored.purpose
        }
        whole &= self._owned(subject)
        return self._delete(whole, lambda row: row.data_key_id in wanted)

    async def fence_purpose(self, subject: str, purpose: str, revision: int) -> tuple[DeletionSet, int]:
        self._raise_fence(subject, purpose, revision)
        owned = self._owned(subject)
        whole = {
            media
            for media in owned
            if self._media[media].stored.purpose == purpose and self._media[media].stored.purpose_revision <= revision
        }
        return self._delete(
            whole,
            lambda row: row.media_id in owned and row.purpose == purpose and row.purpose_revision <= revision,
        )

    async def fence_subject(self, subject: str, revision: int, purposes: Sequence[str]) -> tuple[DeletionSet, int]:
        for purpose in purposes:
            self._raise_fence(subject, purpose, revision)
        owned = self._owned(subject)
        whole = {media for media in owned if self._media[media].stored.purpose_revision <= revision}
        return self._delete(whole, lambda row: row.media_id in owned and row.purpose_revision <= revision)

    async def deletion_set(self, subject: str, data_key_ids: Sequence[UUID]) -> DeletionSet:
        owned = self._owned(subject)
        return self._deletion_set({id_ for id_ in owned if UUID(self._media[id_].stored.data_key_id) in data_key_ids})

    async def delete_media(self, subject: str, deletion: DeletionSet) -> int:
        owned = set(deletion.media) & self._owned(subject)
        chosen = {id_ for id_ in owned if UUID(self._media[id_].stored.data_key_id) in deletion.data_key_ids}
        for id_ in chosen:
            del self._media[id_]
        self.records = {key: row for key, row in self.records.items() if row.media_id not in chosen}
        self.previews = {key: row for key, row in self.previews.items() if row.media_id not in chosen}
        self.feed.store.record_deleted(subject, [analysis_name(id_) for id_ in sorted(chosen)])
        return len(chosen)

    async def expired(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[tuple[str, UUID]]:
        kept = [media.stored for media in self._media.values() if media.stored.data_key_id not in without]
        past = [stored for stored in kept if stored.delete_time <= now]
        due = sorted(past, key=lambda each: each.delete_time)[:limit]
        return [(each.subject, UUID(each.data_key_id)) for each in due]

    async def forget_person(self, subject: str, until: datetime) -> None:
        self.feed.store.forget_changes(subject)

    async def forget_tombstones(self, before: datetime) -> int:
        old = [id_ for id_, time in self._tombstones.items() if time < before]
        for id_ in old:
            del self._tombstones[id_]
        return len(old)

    def _claim(self, media: _Media, until: datetime) -> Claim:
        media.faults += media.claim is not None
        media.claim, media.claim_end = uuid4(), until
        media.attempts += 1
        media.drafts.append(uuid4().hex)
        id_ = media.stored.media
        made = {_of(row.purpose): row.models for row in self.records.values() if row.media_id == id_}
        return Claim(
            media.stored,
            media.claim,
            media.generation,
            media.attempts,
            media.faults,
            made,
            media.drafts[-1],
            state=media.state,
        )

    def _holds(self, claim: Claim) -> bool:
        media = self._media.get(claim.stored.media)
        return media is not None and media.claim == claim.id

    def _is_refused(self, result: SealedResult) -> bool:
        stored = result.claim.stored
        made = [(row.purpose, row.purpose_revision, row.data_key_id) for row in result.findings]
        made += [(stored.purpose, row.purpose_revision, row.data_key_id) for row in result.previews]
        return any(
            key in self._tombstones or self._fences.get((stored.subject, purpose), -1) >= revision
            for purpose, revision, key in made
        )

    def _store(self, result: SealedResult) -> list[SealedFindings | StoredPreview]:
        replaced: list[SealedFindings | StoredPreview] = []
        for record in result.findings:
            replaced += [self.records[key] for key in [(record.media_id, record.purpose)] if key in self.records]
            self.records[record.media_id, record.purpose] = record
        for preview in result.previews:
            replaced += [self.previews[key] for key in [(preview.media_id, preview.size)] if key in self.previews]
            self.previews[preview.media_id, preview.size] = preview
        return replaced

    def _close(self, media: _Media, result: SealedResult, now: datetime) -> None:
        state = MediaState.DONE if result.parked is None else MediaState.PARKED
        current = media.generation == result.claim.generation
        media.state = state if current else MediaState.PENDING
        media.parked = result.parked if current else None
        media.attempts = media.faults = 0
        media.claim = media.claim_end = None
        media.renewal = False
        media.drafts.clear()
        media.next_attempt = media.analyzed = now
        media.stored = replace(media.stored, upload_time=None)
        self.events.append((media.stored.media, state))

    def _replaced(self, known: _Media, media: StoredMedia, now: datetime) -> _Media:
        done = known.state is MediaState.DONE and (media.media, media.purpose) in self.records
        for key, row in self.records.items():
            if row.media_id == media.media:
                self.records[key] = replace(row, models="")
        return replace(
            known,
            stored=replace(media, upload_time=known.stored.upload_time),
            next_attempt=now,
            state=MediaState.DONE if done else MediaState.PENDING,
            parked=None,
            renewal=known.state is MediaState.DONE,
            generation=known.generation + 1,
            attempts=0,
            faults=0,
            claim=None,
            claim_end=None,
        )

    def _is_outdated(self, claim: Claim) -> bool:
        return claim.stored.metadata_revision < self._media[claim.stored.media].stored.metadata_revision

    def _changed(self, media: Sequence[UUID]) -> None:
        for id_ in media:
            self.feed.store.record_changed(self._media[id_].stored.subject, [analysis_name(id_)])

    def _owned(self, subject: str) -> set[UUID]:
        return {id_ for id_, media in self._media.items() if media.stored.subject == subject}

    def _raise_fence(self, subject: str, purpose: str, revision: int) -> None:
        self._fences[subject, purpose] = max(revision, self._fences.get((subject, purpose), revision))

    def _delete(self, whole: set[UUID], goes: Callable[[SealedFindings], bool]) -> tuple[DeletionSet, int]:
        kept = {key: row for key, row in self.records.items() if row.media_id not in whole and not goes(row)}
        lost = {row.media_id for key, row in self.records.items() if key not in kept}
        deleted = len(self.records) - len(kept)
        self.records = kept
        self._changed(sorted(lost - whole))
        return self._deletion_set(whole), deleted

    def _deletion_set(self, media: set[UUID]) -> DeletionSet:
        previews = [row for row in self.previews.values() if row.media_id in media]
        drafts = {draft for id_ in media for draft in self._media[id_].drafts}
        keys = tuple(UUID(self._media[id_].stored.data_key_id) for id_ in media)
        return DeletionSet(tuple(media), keys, tuple({row.object for row in previews} | drafts), len(previews))


def _takes_the_place_of(media: StoredMedia, known: StoredMedia) -> bool:
    same = (media.subject, media.purpose) == (known.subject, known.purpose)
    return same and media.data_key_id != known.data_key_id and media.metadata_revision >= known.metadata_revision


def _of(purpose: str) -> Purpose:
    return Purpose(purpose)


def _status(media: _Media) -> MediaStatus:
    stored = media.stored
    return MediaStatus(
        stored.media,
        stored.purpose,
        UUID(stored.data_key_id),
        media.state,
        media.parked,
        media.analyzed,
        stored.delete_time,
    )
