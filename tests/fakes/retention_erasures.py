"""The tables of orders, erasures and accounts of retention in memory, and the statements on them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.journal import person_tag
from services.retention.domain.account import AccountDeletion
from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.request import AnsweredRequest
from tests.fakes.retention_tables import SCHEDULED, State


class FakeOrders:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, orders: Sequence[PurgeOrder]) -> None:
        for order in orders:
            self._state.orders[order.id] = (self._state.next_number(), order)

    async def outstanding(self, service: str, after: int, limit: int) -> list[tuple[int, PurgeOrder]]:
        return [
            (number, order)
            for number, order in sorted(self._state.orders.values(), key=lambda entry: entry[0])
            if order.service == service and order.complete_time is None and number > after
        ][:limit]

    async def open_ids(self, service: str, limit: int, without: AbstractSet[str]) -> list[tuple[UUID, str]]:
        found = [order for _, order in await self.outstanding(service, 0, len(self._state.orders))]
        return [(order.id, order.subject) for order in found if str(order.id) not in without][:limit]

    async def hold_open(self, order: UUID) -> PurgeOrder | None:
        _, found = self._state.orders[order]
        return found if found.complete_time is None else None

    async def hold(self, order: UUID, service: str) -> PurgeOrder | None:
        found = self._state.orders.get(order)
        return found[1] if found is not None and found[1].service == service else None

    async def report(self, order: UUID, purged: Mapping[str, int]) -> None:
        for store, count in purged.items():
            self._state.reports[order, store] = self._state.reports.get((order, store), 0) + count

    async def complete(self, order: UUID, now: datetime) -> None:
        number, found = self._state.orders[order]
        self._state.orders[order] = (number, replace(found, complete_time=now))

    async def reports(self, mandates: Collection[UUID]) -> Mapping[UUID, list[StorePurge]]:
        found: defaultdict[UUID, list[StorePurge]] = defaultdict(list)
        for _, order in self._state.orders.values():
            mandate = order.erasure or order.account_deletion
            if mandate is not None and mandate in mandates:
                found[mandate] += self._reports(order)
        return found

    def _reports(self, order: PurgeOrder) -> list[StorePurge]:
        of_order = {store: count for (id_, store), count in self._state.reports.items() if id_ == order.id}
        return [
            StorePurge(store, order.service, count, order.complete_time)
            for store, count in (of_order or {"": 0}).items()
        ]


class FakeErasures:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, erasure: Erasure) -> None:
        self._state.erasures[erasure.id] = (self._state.next_number(), erasure)

    async def of_media(self, subject: str, media: UUID) -> Erasure | None:
        return next((one for one in self._of(subject) if one.media == media), None)

    async def get(self, subject: str, erasure: UUID) -> Erasure | None:
        return next((one for one in self._of(subject) if one.id == erasure), None)

    async def page(self, subject: str, before: int, limit: int) -> list[tuple[int, Erasure]]:
        found = [entry for entry in self._state.erasures.values() if entry[1].subject == subject and entry[0] < before]
        return sorted(found, key=lambda entry: entry[0], reverse=True)[:limit]

    async def finish(self, erasure: UUID, now: datetime) -> None:
        number, found = self._state.erasures[erasure]
        orders = [order for _, order in self._state.orders.values() if order.erasure == erasure]
        if found.purge_time is None and all(order.complete_time is not None for order in orders):
            self._state.erasures[erasure] = (number, replace(found, purge_time=now))

    async def subject_erased_at(self, subject: str) -> datetime | None:
        times = [time for (salt, tag), time in self._state.erased_tags.items() if tag == person_tag(salt, subject)]
        return max([*times, *([self._state.erased[subject]] if subject in self._state.erased else [])], default=None)

    async def mark_subject(self, subject: str, now: datetime) -> None:
        self._state.erased[subject] = max(self._state.erased.get(subject, now), now)

    def _of(self, subject: str) -> list[Erasure]:
        return [one for _, one in self._state.erasures.values() if one.subject == subject]


class FakeAccountDeletions:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, deletion: AccountDeletion) -> None:
        self._state.accounts[deletion.id] = deletion

    async def get(self, subject: str, deletion: UUID) -> AccountDeletion | None:
        found = self._state.accounts.get(deletion)
        return found if found is not None and found.subject == subject else None

    async def scheduled(self, subject: str) -> AccountDeletion | None:
        mine = (one for one in self._state.accounts.values() if one.subject == subject)
        return next((one for one in mine if one.state is SCHEDULED), None)

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[AccountDeletion]:
        scheduled = [one for one in self._state.accounts.values() if one.state is SCHEDULED]
        due = [one for one in scheduled if one.start_time <= now and str(one.id) not in without]
        return sorted(due, key=lambda one: one.start_time)[:limit]

    async def cancel(self, deletion: UUID, now: datetime) -> None:
        self._state.accounts[deletion] = replace(self._state.accounts[deletion], cancel_time=now)

    async def begin(self, deletion: UUID, now: datetime) -> None:
        self._state.accounts[deletion] = replace(self._state.accounts[deletion], keys_destroy_time=now)

    async def finish(self, deletion: UUID, now: datetime) -> None:
        found = self._state.accounts[deletion]
        orders = [order for _, order in self._state.orders.values() if order.account_deletion == deletion]
        if found.complete_time is None and all(order.complete_time is not None for order in orders):
            self._state.accounts[deletion] = replace(found, complete_time=now)
            self._delete_records(found)

    def _delete_records(self, deletion: AccountDeletion) -> None:
        subject, until = deletion.subject, deletion.keys_destroy_time or deletion.request_time
        state = self._state
        state.requests = {key: entry for key, entry in state.requests.items() if key[0] != subject or entry[1] > until}
        state.erasures = {
            id_: entry
            for id_, entry in state.erasures.items()
            if entry[1].subject != subject or entry[1].request_time > until
        }
        state.orders = {
            id_: entry
            for id_, entry in state.orders.items()
            if entry[1].erasure is None or entry[1].erasure in state.erasures
        }


class FakeRequests:
    def __init__(self, state: State) -> None:
        self._state = state

    async def find(self, subject: str, request_id: UUID) -> AnsweredRequest | None:
        found = self._state.requests.get((subject, request_id))
        return None if found is None else found[0]

    async def add(self, subject: str, request: AnsweredRequest, now: datetime) -> None:
        self._state.requests[subject, request.id] = (request, now)
