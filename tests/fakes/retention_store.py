"""The store of retention in memory: the same promises as PostgreSQL's, one transaction after the other."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from services.retention.domain.keys import Purpose, SealedKey, SealedKeys
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.readers import Reader
from services.retention.domain.revocation import DestructionTold, Revocation
from tests.fakes.retention_erasures import FakeAccountDeletions, FakeErasures, FakeOrders, FakeRequests
from tests.fakes.retention_journal import FakeJournalReplays
from tests.fakes.retention_replicas import FakeReplicas
from tests.fakes.retention_tables import FakeDataKeys, FakeEpochs, FakePurposes, State

__all__ = ["FakeStore", "FakeTransaction", "State"]


class FakeTransaction:
    def __init__(self, state: State) -> None:
        self._state = state
        self.epochs = FakeEpochs(state)
        self.purposes = FakePurposes(state)
        self.keys = FakeDataKeys(state)
        self.orders = FakeOrders(state)
        self.erasures = FakeErasures(state)
        self.accounts = FakeAccountDeletions(state)
        self.requests = FakeRequests(state)
        self.journal = FakeJournalReplays(state)

    async def lock_subject(self, subject: str) -> None:
        """One transaction runs at a time."""

    async def revoke(self, revocations: Sequence[Revocation]) -> None:
        self._state.told.extend(revocations)

    async def conclude(self, destruction: UUID) -> None:
        self._state.told.append(DestructionTold(destruction))

    async def forget(
        self,
        *,
        tombstones_until: datetime,
        orders_until: datetime,
        erasures_until: datetime,
        accounts_until: datetime,
    ) -> None:
        state = self._state
        state.media = {key: row for key, row in state.media.items() if row.delete_time > tombstones_until}
        state.erased = {subject: time for subject, time in state.erased.items() if time > tombstones_until}
        state.erased_tags = {tag: time for tag, time in state.erased_tags.items() if time > tombstones_until}
        state.requests = {key: entry for key, entry in state.requests.items() if entry[1] > erasures_until}
        state.erasures = {
            id_: entry for id_, entry in state.erasures.items() if not _over(entry[1].purge_time, erasures_until)
        }
        state.accounts = {
            id_: one
            for id_, one in state.accounts.items()
            if not _over(one.cancel_time or one.complete_time, accounts_until)
        }
        state.orders = {id_: entry for id_, entry in state.orders.items() if self._stays(entry[1], orders_until)}

    def _stays(self, order: PurgeOrder, orders_until: datetime) -> bool:
        if order.erasure is not None:
            return order.erasure in self._state.erasures
        if order.account_deletion is not None:
            return order.account_deletion in self._state.accounts
        return not _over(order.complete_time, orders_until)


class FakeStore:
    """Implements `Store`; `state` is open for a test to look at, and to put a backup back."""

    def __init__(self) -> None:
        self.state = State()
        self.fail_at_commit: Exception | None = None
        self._turn = asyncio.Lock()
        self.replicas = FakeReplicas()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeTransaction]:
        async with self._turn:
            draft = self.state.copied()
            yield FakeTransaction(draft)
            self._crash_if_told()
            self.state = draft
            self.replicas.tell(draft.told)
            draft.told = []

    async def sealed_keys(
        self, subject: str, purpose: Purpose, ids: Collection[str], reader: Reader, now: datetime
    ) -> SealedKeys | None:
        key = self.state.purposes.get((subject, purpose))
        if key is None or key.expire_time <= now:
            return None
        rows = [self.state.keys[id_] for id_ in ids if id_ in self.state.keys]
        owner = (subject, purpose, key.revision)
        sealed = (
            SealedKey(row.id, row.wrapped)
            for row in rows
            if (row.subject, row.purpose, row.purpose_revision) == owner
            and row.delete_time > now
            and reader.may_open(row.owner, derived=bool(row.lineage))
        )
        return SealedKeys(key, tuple(sealed))

    async def kept_media(self, subject: str, media: Collection[UUID], now: datetime) -> set[UUID]:
        living = [
            row
            for row in self.state.keys.values()
            if row.subject == subject and row.delete_time > now and self.state.living_purpose_key(row, now) is not None
        ]
        return {each for each in media if any(each in row.lineage for row in living)}

    def _crash_if_told(self) -> None:
        if self.fail_at_commit is not None:
            error, self.fail_at_commit = self.fail_at_commit, None
            raise error


def _over(time: datetime | None, until: datetime) -> bool:
    return time is not None and time <= until
