"""The tables of retention in memory, and the statements on them."""

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from uuid import UUID

from services.retention.domain.account import AccountDeletion, AccountDeletionState
from services.retention.domain.erasure import Erasure
from services.retention.domain.keys import (
    DestroyedKey,
    DestroyedPurpose,
    NewKeyRow,
    Portion,
    Purpose,
    PurposeKey,
    SealedKey,
    SealedKeys,
    WrappedKey,
)
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.request import AnsweredRequest
from services.retention.domain.revocation import News

SCHEDULED = AccountDeletionState.SCHEDULED
LONG_PAST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class KeyRow:
    id: str
    subject: str
    purpose: Purpose
    purpose_revision: int
    owner: str
    wrapped: WrappedKey
    delete_time: datetime
    lineage: tuple[UUID, ...]


@dataclass(frozen=True)
class MediaRow:
    delete_time: datetime
    purpose: Purpose | None = None
    purpose_revision: int | None = None


@dataclass(frozen=True)
class EpochRow:
    make_time: datetime
    destroy_time: datetime | None = None
    gone_time: datetime | None = None
    reappear_time: datetime | None = None
    fingerprint: bytes | None = None


@dataclass
class State:
    epochs: dict[str, EpochRow] = field(default_factory=dict)
    revision: int = 0
    purposes: dict[tuple[str, Purpose], PurposeKey] = field(default_factory=dict)
    decisions: dict[tuple[str, Purpose], int] = field(default_factory=dict)
    keys: dict[str, KeyRow] = field(default_factory=dict)
    media: dict[tuple[str, UUID], MediaRow] = field(default_factory=dict)
    orders: dict[UUID, tuple[int, PurgeOrder]] = field(default_factory=dict)
    reports: dict[tuple[UUID, str], int] = field(default_factory=dict)
    erasures: dict[UUID, tuple[int, Erasure]] = field(default_factory=dict)
    erased: dict[str, datetime] = field(default_factory=dict)
    erased_tags: dict[tuple[str, str], datetime] = field(default_factory=dict)
    reserved: int = 0
    accounts: dict[UUID, AccountDeletion] = field(default_factory=dict)
    requests: dict[tuple[str, UUID], tuple[AnsweredRequest, datetime]] = field(default_factory=dict)
    number: int = 0
    told: list[News] = field(default_factory=list)

    def copied(self) -> "State":
        """Return a copy of the tables; rows are never changed in place."""
        return State(**{table.name: copy.copy(getattr(self, table.name)) for table in fields(self)})

    def living_purpose_key(self, key: KeyRow, now: datetime) -> PurposeKey | None:
        """Return the purpose key of a data key that lives."""
        purpose_key = self.purposes.get((key.subject, key.purpose))
        if purpose_key is None or purpose_key.revision != key.purpose_revision:
            return None
        return purpose_key if min(key.delete_time, purpose_key.expire_time) > now else None

    def next_number(self) -> int:
        self.number += 1
        return self.number


class FakeEpochs:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, epoch: str, now: datetime, fingerprint: bytes) -> None:
        row = self._state.epochs.get(epoch, EpochRow(now))
        self._state.epochs[epoch] = replace(row, fingerprint=row.fingerprint or fingerprint)

    async def renew(self, epoch: str, fingerprint: bytes) -> None:
        self._state.epochs[epoch] = replace(self._state.epochs[epoch], fingerprint=fingerprint)

    async def due(self, made_until: datetime) -> list[str]:
        rows = self._state.epochs.items()
        return sorted(id_ for id_, row in rows if row.make_time <= made_until and row.destroy_time is None)

    async def living(self, made_after: datetime) -> Mapping[str, bytes | None]:
        rows = sorted(self._state.epochs.items())
        living = [(id_, row) for id_, row in rows if row.make_time > made_after and row.destroy_time is None]
        return {id_: row.fingerprint for id_, row in living}

    async def destroyed(self) -> list[str]:
        return sorted(id_ for id_, row in self._state.epochs.items() if row.destroy_time is not None)

    async def gone(self) -> list[str]:
        return sorted(id_ for id_, row in self._state.epochs.items() if row.gone_time is not None)

    async def mark_gone(self, epoch: str, now: datetime) -> None:
        self._state.epochs[epoch] = replace(self._state.epochs[epoch], gone_time=now)

    async def mark_reappeared(self, epoch: str, now: datetime) -> None:
        self._state.epochs[epoch] = replace(self._state.epochs[epoch], reappear_time=now)

    async def lock_for_wrapping(self, epoch: str) -> bool:
        return epoch in self._state.epochs and self._state.epochs[epoch].destroy_time is None

    async def lock_for_destruction(self, epoch: str) -> None:
        """One transaction runs at a time."""

    async def in_use(self, epoch: str, now: datetime) -> bool:
        return any(key.wrapped.epoch == epoch for key in self._state.purposes.values()) or any(
            key.wrapped.epoch == epoch and self._state.living_purpose_key(key, now) is not None
            for key in self._state.keys.values()
        )

    async def mark_destroyed(self, epoch: str, now: datetime) -> None:
        self._state.epochs[epoch] = replace(self._state.epochs[epoch], destroy_time=now)


class FakePurposes:
    def __init__(self, state: State) -> None:
        self._state = state

    async def next_revision(self) -> int:
        self._state.revision += 1
        return self._state.revision

    async def last_decision(self, subject: str, purpose: Purpose) -> int | None:
        return self._state.decisions.get((subject, purpose))

    async def latest_decision(self, subject: str) -> int:
        return max((seen for (who, _), seen in self._state.decisions.items() if who == subject), default=0)

    async def record_decision(self, subject: str, purposes: Collection[Purpose], revision: int) -> None:
        for purpose in purposes:
            known = self._state.decisions.get((subject, purpose), 0)
            self._state.decisions[subject, purpose] = max(known, revision)

    async def get(self, subject: str, purpose: Purpose) -> PurposeKey | None:
        return self._state.purposes.get((subject, purpose))

    async def share(self, subject: str, purpose: Purpose, now: datetime) -> PurposeKey | None:
        key = self._state.purposes.get((subject, purpose))
        return key if key is not None and key.expire_time > now else None

    async def hold_all(self, subject: str) -> None:
        """One transaction runs at a time."""

    async def put(self, key: PurposeKey) -> None:
        self._state.purposes[key.subject, key.purpose] = key

    async def expired(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[tuple[str, str]]:
        over = [key for key in self._state.purposes.values() if key.expire_time <= now]
        names = [(key.subject, str(key.purpose)) for key in sorted(over, key=lambda key: key.expire_time)]
        return [name for name in names if "/".join(name) not in without][:limit]

    async def destroy(
        self, subject: str, purposes: Collection[Purpose], consent_revision: int
    ) -> list[DestroyedPurpose]:
        doomed = [
            key
            for key in self._state.purposes.values()
            if key.subject == subject and key.purpose in purposes and key.consent_revision <= consent_revision
        ]
        for key in doomed:
            del self._state.purposes[subject, key.purpose]
        return [DestroyedPurpose(key.purpose, key.revision) for key in doomed]

    async def destroy_all(self, subject: str) -> None:
        for purpose in Purpose:
            self._state.purposes.pop((subject, purpose), None)
            self._state.decisions.pop((subject, purpose), None)

    async def outside_epoch(self, epoch: str, after: tuple[str, str], limit: int) -> list[PurposeKey]:
        keys = [
            key
            for key in self._state.purposes.values()
            if key.wrapped.epoch != epoch and (key.subject, str(key.purpose)) > after
        ]
        return sorted(keys, key=lambda key: (key.subject, key.purpose))[:limit]


class FakeDataKeys:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, key: PurposeKey, owner: str, rows: Sequence[NewKeyRow]) -> None:
        for row in rows:
            self._state.keys[row.id] = KeyRow(
                row.id, key.subject, key.purpose, key.revision, owner, row.wrapped, row.delete_time, row.lineage
            )

    async def of_media(self, key: PurposeKey) -> list[tuple[UUID, SealedKey]]:
        owner = (key.purpose, key.revision)
        return [
            (row.lineage[0], SealedKey(row.id, row.wrapped))
            for row in self._of(key.subject)
            if (row.purpose, row.purpose_revision) == owner
            and len(row.lineage) == 1
            and (media := self._state.media.get((key.subject, row.lineage[0]))) is not None
            and (media.purpose, media.purpose_revision) == owner
        ]

    async def under_epoch(self, epoch: str, *, after: str, now: datetime, limit: int) -> Portion:
        rows = sorted(
            (row for row in self._state.keys.values() if row.wrapped.epoch == epoch and row.id > after), key=_id
        )[:limit]
        found = [(self._state.living_purpose_key(row, now), SealedKey(row.id, row.wrapped)) for row in rows]
        living = tuple(SealedKeys(purpose_key, (key,)) for purpose_key, key in found if purpose_key is not None)
        return Portion(living, rows[-1].id if rows else "")

    async def wrap_anew(self, keys: Collection[SealedKey]) -> None:
        for key in keys:
            self._state.keys[key.id] = replace(self._state.keys[key.id], wrapped=key.wrapped)

    async def destroy_lost(self, ids: Collection[str]) -> list[DestroyedKey]:
        return self._destroy(self._state.keys[id_] for id_ in ids if id_ in self._state.keys)

    async def destroy(self, subject: str, owner: str, ids: Collection[str]) -> list[DestroyedKey]:
        return self._destroy(key for key in self._of(subject) if key.id in ids and key.owner == owner)

    async def destroy_derived(self, subject: str, media: Collection[UUID]) -> list[DestroyedKey]:
        return self._destroy(key for key in self._of(subject) if not set(media).isdisjoint(key.lineage))

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        due = sorted((key for key in self._state.keys.values() if key.delete_time <= now), key=_delete_time)
        return [DestroyedKey(key.id, key.subject) for key in due if key.id not in without][:limit]

    async def destroy_due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        ids = [key.id for key in await self.due(now, limit, without)]
        return self._destroy([self._state.keys[id_] for id_ in ids])

    async def destroy_one_due(self, now: datetime, id_: str) -> list[DestroyedKey]:
        key = self._state.keys.get(id_)
        return self._destroy([key] if key is not None and key.delete_time <= now else [])

    async def clear_purpose(self, subject: str, destroyed: DestroyedPurpose, limit: int) -> list[tuple[UUID, ...]]:
        left = [
            key
            for key in self._of(subject)
            if key.purpose == destroyed.purpose and key.purpose_revision <= destroyed.revision
        ][:limit]
        self._destroy(left)
        return [key.lineage for key in left]

    async def clear_subject(self, subject: str, revision: int, limit: int) -> int:
        left = [key for key in self._of(subject) if key.purpose_revision <= revision][:limit]
        return len(self._destroy(left))

    async def orphans_of(self, subject: str, purpose: Purpose, now: datetime, limit: int) -> list[UUID]:
        found = [(media, row) for (owner, media), row in self._state.media.items() if owner == subject]
        key = self._state.purposes.get((subject, purpose))
        revision = None if key is None else key.revision
        return [
            media
            for media, row in found
            if row.purpose is purpose and row.purpose_revision != revision and row.delete_time > now
        ][:limit]

    async def latest_delete_time(self, subject: str, media: UUID) -> datetime | None:
        return max((key.delete_time for key in self._of(subject) if media in key.lineage), default=None)

    async def shorten(self, subject: str, media: UUID, delete_time: datetime) -> int:
        later = [key for key in self._of(subject) if media in key.lineage and key.delete_time > delete_time]
        for key in later:
            self._state.keys[key.id] = replace(key, delete_time=delete_time)
        return len(later)

    async def next_time(self) -> datetime | None:
        ends = [key.delete_time for key in self._state.keys.values()]
        ends += [key.expire_time for key in self._state.purposes.values()]
        ends += [one.start_time for one in self._state.accounts.values() if one.state is SCHEDULED]
        return min(ends, default=None)

    async def ends(self, subject: str, media: Collection[UUID]) -> Mapping[UUID, datetime]:
        known = {one: self._state.media[subject, one] for one in media if (subject, one) in self._state.media}
        return {one: self._end(subject, row) for one, row in known.items()}

    async def came_in(self, subject: str, purpose: Purpose, media: Collection[UUID]) -> set[UUID]:
        rows = {one: self._state.media.get((subject, one)) for one in media}
        return {one for one, row in rows.items() if row is not None and row.purpose is purpose}

    async def bring_in(self, key: PurposeKey, ends: Mapping[UUID, datetime]) -> None:
        for media, end in ends.items():
            self._state.media.setdefault((key.subject, media), MediaRow(end, key.purpose, key.revision))

    async def end(self, subject: str, media: Collection[UUID], delete_time: datetime) -> None:
        for one in media:
            row = self._state.media.get((subject, one), MediaRow(delete_time))
            self._state.media[subject, one] = replace(row, delete_time=min(row.delete_time, delete_time))

    def _of(self, subject: str) -> list[KeyRow]:
        return [key for key in self._state.keys.values() if key.subject == subject]

    def _end(self, subject: str, row: MediaRow) -> datetime:
        key = self._state.purposes.get((subject, row.purpose)) if row.purpose is not None else None
        same = (key.revision if key is not None else None) == row.purpose_revision
        return row.delete_time if same else LONG_PAST

    def _destroy(self, keys: Iterable[KeyRow]) -> list[DestroyedKey]:
        doomed = list(keys)
        for key in doomed:
            del self._state.keys[key.id]
        return [DestroyedKey(key.id, key.subject) for key in doomed]


def _id(key: KeyRow) -> str:
    return key.id


def _delete_time(key: KeyRow) -> datetime:
    return key.delete_time
