"""What a replay of the journal does to the tables of retention in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.journal import person_tag
from services.retention.domain.keys import DestroyedKey, DestroyedPurpose
from tests.fakes.retention_tables import EpochRow, State


class FakeJournalReplays:
    """Implements `JournalReplays`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def destroy_purposes(self, revisions: Collection[int]) -> list[tuple[str, DestroyedPurpose]]:
        gone = [key for key in self._state.purposes.values() if key.revision in revisions]
        for key in gone:
            del self._state.purposes[key.subject, key.purpose]
        return [(key.subject, DestroyedPurpose(key.purpose, key.revision)) for key in gone]

    async def destroy_keys(self, ids: Collection[str]) -> list[DestroyedKey]:
        gone = [self._state.keys.pop(id_) for id_ in ids if id_ in self._state.keys]
        return [DestroyedKey(row.id, row.subject) for row in gone]

    async def end_media(self, ends: Sequence[tuple[UUID, datetime]]) -> None:
        times = dict(ends)
        for key, media in self._state.media.items():
            self._state.media[key] = replace(
                media, delete_time=min(media.delete_time, times.get(key[1], media.delete_time))
            )
        for id_, row in self._state.keys.items():
            earliest = min([row.delete_time, *(times[media] for media in row.lineage if media in times)])
            self._state.keys[id_] = replace(row, delete_time=earliest)

    async def narrow(self, bounds: Sequence[tuple[int, datetime]]) -> None:
        times = dict(bounds)
        for owner, key in self._state.purposes.items():
            told, present = times.get(key.revision), key.reach_back_time
            if told is not None and (present is None or present < told):
                self._state.purposes[owner] = replace(key, reach_back_time=told)

    async def subjects(self, salt: str, tags: Collection[str]) -> Mapping[str, str]:
        state = self._state
        known = {subject for subject, _ in (*state.decisions, *state.purposes, *state.media)}
        known |= {row.subject for row in state.keys.values()}
        return {person_tag(salt, subject): subject for subject in known if person_tag(salt, subject) in tags}

    async def remember_erased(self, salt: str, tag: str, time: datetime) -> None:
        self._state.erased_tags[salt, tag] = time

    async def end_epochs(self, epochs: Collection[str], now: datetime) -> None:
        for epoch in epochs:
            row = self._state.epochs.get(epoch, EpochRow(datetime.fromisoformat(epoch).replace(tzinfo=UTC)))
            self._state.epochs[epoch] = replace(row, destroy_time=row.destroy_time or now, gone_time=now)

    async def reserve(self, until: int) -> None:
        self._state.reserved = max(self._state.reserved, until)
