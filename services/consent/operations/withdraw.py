"""Withdrawals: a person takes grants back, in any state and under any notice."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from services.chassis.errors import DependencyUnavailable
from services.chassis.person_leases import TurnTaken
from services.consent.domain.change import Change, Request
from services.consent.domain.change_plan import plan_withdrawal
from services.consent.domain.history import DecisionResult, History, check_same
from services.consent.domain.standing import Standing
from services.consent.errors import KeyServiceSilent
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import carry_out
from services.keyring import Purpose

_ATTEMPTS = 2


async def withdraw(
    request: Request, purposes: Sequence[Purpose], subject: str, dependencies: Dependencies
) -> DecisionResult:
    """Withdraw purposes and all that build on them; their keys are destroyed when this returns.

    It is written down whatever state an earlier change was left in, and whatever still waits for the key service:
    nothing stands in the way of a withdrawal.

    Raises:
        RequestIdReused: the request id belongs to another request.
        KeyServiceSilent: the key service does not answer; the withdrawal is written down and will be done.
        TurnTaken: withdrawals of the same person go on and on.
    """
    for _ in range(_ATTEMPTS):
        with suppress(TurnTaken):
            return await _withdraw(request, purposes, subject, dependencies)
    return await _withdraw(request, purposes, subject, dependencies)


async def _withdraw(
    request: Request, purposes: Sequence[Purpose], subject: str, dependencies: Dependencies
) -> DecisionResult:
    async with dependencies.withdrawals.locked(subject, overtakes=True) as ledger:
        if recorded := await ledger.recorded_result(request.id):
            return DecisionResult.again(recorded, request)
        change = _planned(await ledger.history(), request, purposes, dependencies.clock.now())
        try:
            change = await carry_out(ledger, change, subject, dependencies)
        except TurnTaken:  # another withdrawal, which takes in what this one wrote down
            raise
        except DependencyUnavailable as error:
            raise KeyServiceSilent.for_withdrawal() from error
        return DecisionResult.of(await ledger.history(), change)


def _planned(history: History, request: Request, purposes: Sequence[Purpose], now: datetime) -> Change:
    """Plan the withdrawal; it takes in what an interrupted change still has to end."""
    pending = history.pending
    before = Standing(history.latest, now)
    if pending is None:
        return plan_withdrawal(before, purposes, request=request, revision=history.revision, now=now)
    if pending.request is not None and pending.request.id == request.id:
        check_same(pending.request, request)
    standing = Standing((*history.latest, *pending.ends), now)
    change = plan_withdrawal(standing, purposes, request=request, revision=history.revision, now=now)
    return change.absorbing(pending, before)
