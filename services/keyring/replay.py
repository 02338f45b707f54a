"""Replay of the journal of destructions: what it names is purged here, as an order of the retention service would."""

from collections.abc import Iterator, Sequence

from services.chassis.clock import Clock
from services.journal import Destruction, Entry
from services.journal.owners import Owners
from services.keyring.orders import (
    DataKeyScope,
    PurgeCause,
    PurgeHandler,
    PurgeOrder,
    PurgeScope,
    PurposeScope,
    SubjectScope,
)

_NAME = "journal"
_KEYS_IN_ORDER = 1000


class PurgeReplay:
    """Purges what a restored database has brought back; where all orders were carried out it finds nothing."""

    def __init__(self, owners: Owners, execute: PurgeHandler, clock: Clock) -> None:
        self._owners = owners
        self._execute = execute
        self._clock = clock

    async def __call__(self, entries: Sequence[Entry]) -> None:
        """Carry out what entries say.

        Raises:
            DependencyUnavailable: it is not done yet.
        """
        told = [entry for entry in entries if isinstance(entry, Destruction)]
        for entry in told:
            if entry.persons:
                await self._purge_persons(entry)
        await self._purge_purposes([key.revision for entry in told for key in entry.purpose_keys])
        await self._purge_keys([id_ for entry in told for id_ in entry.data_keys])

    async def _purge_persons(self, told: Destruction) -> None:
        known = await self._owners.of_tags(told.salt, [person.tag for person in told.persons])
        for person in told.persons:
            if person.tag in known:
                await self._purge(known[person.tag], SubjectScope(person.revision, person.time, person.account))

    async def _purge_purposes(self, revisions: Sequence[int]) -> None:
        if revisions:
            for subject, purpose, revision in await self._owners.of_purpose_keys(revisions):
                await self._purge(subject, PurposeScope(purpose, revision))

    async def _purge_keys(self, ids: Sequence[str]) -> None:
        if ids:
            for subject, named in (await self._owners.of_data_keys(ids)).items():
                for portion in _portions(named):
                    await self._purge(subject, DataKeyScope(tuple(portion)))

    async def _purge(self, subject: str, scope: PurgeScope) -> None:
        await self._execute(PurgeOrder(_NAME, subject, PurgeCause.ERASURE, scope, self._clock.now()))


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _KEYS_IN_ORDER):
        yield ids[start : start + _KEYS_IN_ORDER]
