import pytest

from services.analysis.domain.media import MediaState
from services.analysis.operations.get_analysis import get_analysis
from services.keyring import Purpose, PurposeNotGranted
from tests.unit.analysis.harness import ANN, Harness


async def test_done_come_first_then_those_that_wait_then_those_that_are_parked(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    broken = await harness.bring_in(b"text")
    whole = await harness.bring_in()
    await harness.work()
    waiting = await harness.bring_in()
    assert [(each.media, each.state) for each in await harness.known()] == [
        (whole.media, MediaState.DONE),
        (waiting.media, MediaState.PENDING),
        (broken.media, MediaState.PARKED),
    ]


async def test_the_same_picture_twice_is_a_group(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = [await harness.bring_in() for _ in range(2)]
    await harness.work()
    leader = min(str(each.media) for each in media)
    assert {str(each.duplicate_group) for each in await harness.known()} == {leader}
    assert str((await get_analysis(ANN, media[0].media, harness.dependencies)).duplicate_group) == leader


async def test_findings_stay_while_more_is_due(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    await harness.work()
    await harness.store.want_purpose(ANN, Purpose.LOCATION, harness.clock.now())
    found = await harness.only()
    assert (found.state, found.scene is None) == (MediaState.PENDING, False)


async def test_a_list_needs_consent(harness: Harness) -> None:
    with pytest.raises(PurposeNotGranted):
        await harness.known()
