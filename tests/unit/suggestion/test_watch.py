from contextlib import aclosing

import pytest

from services.keyring import PurposeNotGranted
from services.suggestion.operations.watch import watch
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


async def test_a_watch_begins_with_what_is_there_and_wakes_on_a_change(harness: Harness) -> None:
    async with aclosing(watch(harness.dependencies, subject=ALICE)) as offered:
        assert await anext(offered) == []
        await harness.refresh()
        harness.changes.wake(ALICE)
        assert await anext(offered) == await harness.offered()


async def test_a_watch_ends_when_consent_does(harness: Harness) -> None:
    async with aclosing(watch(harness.dependencies, subject=ALICE)) as offered:
        await anext(offered)
        harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        harness.changes.wake(ALICE)
        with pytest.raises(PurposeNotGranted):
            await anext(offered)
