"""Deleting the account: one that begins at once is waited for."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pellicule.retention.v1 import account_pb2, account_service_pb2
from services.cli.account import deletion
from services.cli.client import Services

SCHEDULED, DESTROYED, COMPLETE = (
    account_pb2.ACCOUNT_DELETION_STATE_SCHEDULED,
    account_pb2.ACCOUNT_DELETION_STATE_KEYS_DESTROYED,
    account_pb2.ACCOUNT_DELETION_STATE_COMPLETE,
)


class _Accounts:
    """Goes through the states that it is told."""

    def __init__(self, *states: account_pb2.AccountDeletionState.ValueType) -> None:
        self._states: Iterator[account_pb2.AccountDeletionState.ValueType] = iter(states)
        self.delays: list[int] = []

    def _next(self) -> account_pb2.AccountDeletion:
        return account_pb2.AccountDeletion(name="accountDeletions/1", state=next(self._states))

    async def RequestAccountDeletion(self, request: Any, **_: object) -> Any:  # noqa: N802  # as in the contract
        self.delays.append(request.delay.seconds)
        return account_service_pb2.RequestAccountDeletionResponse(account_deletion=self._next())

    async def GetAccountDeletion(self, request: Any, **_: object) -> Any:  # noqa: N802
        assert request.name == "accountDeletions/1"
        return account_service_pb2.GetAccountDeletionResponse(account_deletion=self._next())


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "PURGE_POLL_SECONDS", 0.0)


async def _request(accounts: _Accounts, delay: timedelta) -> account_pb2.AccountDeletion:
    services = cast("Services", cast("Any", SimpleNamespace(account=accounts, headers=())))
    return await deletion.request(services, delay)


async def test_one_that_begins_later_is_answered_at_once() -> None:
    accounts = _Accounts(SCHEDULED)
    assert (await _request(accounts, timedelta(days=7))).state == SCHEDULED
    assert accounts.delays == [7 * 86400]


async def test_one_that_begins_now_is_waited_for() -> None:
    assert (await _request(_Accounts(DESTROYED, DESTROYED, COMPLETE), timedelta(0))).state == COMPLETE
