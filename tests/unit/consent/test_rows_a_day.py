"""Rows that one person may have the service write a day, of which withdrawals are no part."""

from dataclasses import replace

import pytest

from services.chassis.errors import LimitReached
from services.chassis.limits.allowance import DailyLimit
from services.consent.operations.decide import decide
from services.consent.operations.withdraw import withdraw
from services.keyring import Purpose
from tests.unit.consent.harness import ADA, Service, grants, request


async def test_who_decides_too_often_is_refused_and_can_still_withdraw() -> None:
    service = Service()
    await service.open()
    limited = replace(service.dependencies, decisions_a_day=DailyLimit("decisions", 2))
    for _ in range(2):
        await decide(await service.ask(*grants(Purpose.CLOUD_PROCESSING)), ADA, limited)
    with pytest.raises(LimitReached):
        await decide(await service.ask(*grants(Purpose.CLOUD_PROCESSING)), ADA, limited)
    for _ in range(5):
        await withdraw(request(), [Purpose.CLOUD_PROCESSING], ADA, limited)
    assert not (await service.store.history(ADA)).pending


async def test_who_is_shown_notices_without_end_is_refused() -> None:
    service = Service()
    await service.open()
    service.dependencies = replace(service.dependencies, servings_a_day=DailyLimit("notices shown", 3))
    for _ in range(3):
        await service.show()
    with pytest.raises(LimitReached):
        await service.show()
