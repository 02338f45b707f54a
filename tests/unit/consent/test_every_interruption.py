"""Every pair of interrupted calls, from every state that matters: afterwards books and keys agree."""

import itertools
from collections.abc import Awaitable, Callable

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Status
from services.consent.errors import PurposeNeedsAnother
from services.consent.operations.read_state import read_state
from services.keyring import Purpose
from tests.fakes.consent import Crash
from tests.unit.consent.harness import ADA, Service, grants, refusals

CLOUD, LOCATION, FACES = Purpose.CLOUD_PROCESSING, Purpose.LOCATION, Purpose.FACE_GROUPING

_Call = Callable[[Service], Awaitable[object]]
_CALLS: dict[str, _Call] = {
    "grant both": lambda service: service.grant(CLOUD, LOCATION),
    "grant faces, refuse location": lambda service: service.decide(*grants(FACES), *refusals(LOCATION)),
    "refuse cloud": lambda service: service.decide(*refusals(CLOUD)),
    "withdraw cloud": lambda service: service.withdraw(CLOUD),
    "withdraw location": lambda service: service.withdraw(LOCATION),
}
_FAULTS = ("none", "silent", "deaf", "begin", "finish")
_STEPS = tuple(itertools.product(_CALLS, _FAULTS))


async def _call(service: Service, step: tuple[str, str]) -> bool:
    """Make a call that meets a fault, and return whether it was confirmed."""
    call, fault = step
    service.keys.silent, service.keys.deaf = fault == "silent", fault == "deaf"
    service.store.crash_at = fault if fault in {"begin", "finish"} else None
    try:
        await _CALLS[call](service)
    except (Crash, DependencyUnavailable, PurposeNeedsAnother):
        return False
    finally:
        service.keys.silent = service.keys.deaf = False
        service.store.crash_at = None
    return True


async def _granted(service: Service) -> set[str]:
    state = await read_state(ADA, service.dependencies)
    return {str(row.purpose) for row in state.purposes if row.status is Status.GIVEN}


@pytest.mark.parametrize("before", [(), (CLOUD,), (CLOUD, LOCATION)], ids=["nothing", "cloud", "both"])
async def test_books_and_keys_agree_after_any_two_interrupted_calls(before: tuple[Purpose, ...]) -> None:
    for steps in itertools.product(_STEPS, repeat=2):
        service = Service()
        await service.open()
        if before:
            await service.grant(*before)
        confirmed = await _granted(service)
        for step in steps:
            if await _call(service, step):
                confirmed = await _granted(service)
        await service.clock.advance(60)
        await service.sweep()

        granted = await _granted(service)
        assert granted == service.keys.of(ADA), steps
        assert granted <= confirmed, steps
        assert (await service.store.history(ADA)).pending is None, steps
