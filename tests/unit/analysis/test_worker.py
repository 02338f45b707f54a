import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from inference.vision.pictures import Picture
from pellicule.consent.v1 import consent_pb2
from pellicule.consent.v1 import purpose_pb2 as consent_purpose
from pellicule.ingest.v1 import media_pb2, purpose_pb2
from services.analysis.domain import RENEWAL_PAUSE, MediaState, Purpose
from services.analysis.errors import ModelUnavailable, TensorRefused
from services.analysis.ports import Scene
from services.analysis.settings import Pace
from services.analysis.worker import Worker
from services.chassis.consumer import IncomingEvent
from services.keyring import DataKeyScope
from tests.unit.analysis.world import ANN, BOB, EVERYTHING, World


def event(message: media_pb2.MediaStored | consent_pb2.ConsentChanged) -> IncomingEvent:
    return IncomingEvent(
        id=str(uuid4()),
        type=message.DESCRIPTOR.full_name,
        source="/test",
        subject="test",
        time=datetime(2026, 3, 1, tzinfo=UTC),
        body=message.SerializeToString(),
    )


async def hear_grant(world: World, *purposes: str) -> None:
    numbers = [consent_purpose.Purpose.Value(f"PURPOSE_{purpose}") for purpose in purposes]
    await world.worker.hear_consent(event(consent_pb2.ConsentChanged(subject=ANN, revision=2, granted=numbers)))


async def test_a_media_that_is_heard_of_twice_is_understood_once(world: World) -> None:
    message = media_pb2.MediaStored(
        media=f"media/{uuid4()}",
        subject=ANN,
        purpose=purpose_pb2.PURPOSE_CLOUD_PROCESSING,
        data_key_id=str(uuid4()),
        purpose_revision=1,
        segments=[media_pb2.ObjectSegment(object="one", size_bytes=5)],
    )
    for _ in range(2):
        await world.worker.hear_media(event(message))
    assert len(await world.store.statuses(ANN)) == 1


async def test_a_grant_is_caught_up_with(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    await world.work()
    world.keyring.grant(ANN, "LOCATION", "GENERATIVE_EDITING")
    await hear_grant(world, "LOCATION", "GENERATIVE_EDITING")
    looked = world.models.pictures
    await world.work()
    assert (world.purposes(), world.models.pictures) == ({"CLOUD_PROCESSING", "LOCATION"}, looked)
    assert (await world.only()).state is MediaState.DONE


async def test_a_grant_that_nobody_told_of_is_found_by_the_sweep(world: World) -> None:
    for subject in (ANN, BOB):
        world.keyring.grant(subject, "CLOUD_PROCESSING")
        await world.bring_in(subject=subject)
    await world.work()
    world.keyring.grant(BOB, "FACE_GROUPING")
    await world.worker.sweep_grants()
    await world.work()
    assert ((await world.only(BOB)).templates is None, (await world.only(ANN)).templates is None) == (False, True)


async def test_a_sweep_that_finds_nothing_asks_for_nothing(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    for step in (world.worker.sweep_models, world.worker.sweep_grants, world.worker.sweep_expired):
        await step()
    assert [status.state for status in await world.store.statuses(ANN)] == [MediaState.DONE]


async def test_nothing_is_claimed_while_the_models_are_paused(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    world.models.pause = timedelta(seconds=5)
    await world.work()
    (claim,) = await world.store.claim(limit=1, now=world.clock.now(), until=world.clock.now())
    assert claim.attempts == 1


async def test_a_withdrawn_purpose_leaves_no_row_and_no_object(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    for _ in range(3):
        await world.bring_in()
    await world.work()
    assert await world.withdraw("CLOUD_PROCESSING") == {
        "analysis.table.media": 3,
        "analysis.table.findings": 9,
        "analysis.table.previews": 6,
        "analysis.bucket.previews": 3,
    }
    assert (world.store.records, world.store.previews, await world.previews()) == ({}, {}, set())


async def test_a_withdrawn_extra_leaves_the_rest(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    deleted = await world.withdraw("FACE_GROUPING")
    assert (deleted["analysis.table.findings"], deleted["analysis.table.media"]) == (1, 0)
    found = await world.only()
    assert (found.templates, found.seen is None, found.place is None) == (None, False, False)


async def test_an_erased_media_leaves_no_row_and_no_object(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    first, second = await world.bring_in(), await world.bring_in()
    await world.work()
    deleted = await world.erase(first)
    assert deleted["analysis.table.findings"] == 3
    assert ([each.media for each in await world.known()], len(await world.previews())) == ([second.media], 1)


async def test_an_order_can_be_carried_out_twice(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    scope = DataKeyScope(tuple(world.keyring.destroy_media(ANN, media.name)))
    await world.order(scope)
    assert set((await world.order(scope)).values()) == {0}


async def test_an_erased_person_leaves_nothing_and_others_everything(world: World) -> None:
    for subject in (ANN, BOB):
        world.keyring.grant(subject, *EVERYTHING)
        await world.bring_in(subject=subject)
    await world.work()
    await world.erase_person()
    assert (await world.store.statuses(ANN), len(await world.known(BOB)), len(await world.previews())) == ([], 1, 1)


async def test_somebody_who_comes_back_after_an_erasure_starts_afresh(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    await world.erase_person()
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    assert (await world.only()).media == media.media


async def test_media_past_their_time_go_by_themselves(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    await world.clock.advance(timedelta(days=21))
    await world.worker.sweep_expired()
    assert (await world.store.statuses(ANN), await world.previews()) == ([], set())


async def test_a_failed_attempt_leaves_its_claim_to_others(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    world.models.failure = ModelUnavailable("face_detector", "gone")
    await world.work()
    later = world.clock.now() + timedelta(seconds=2)
    assert len(await world.store.claim(limit=1, now=later, until=later)) == 1


@pytest.mark.parametrize("purpose", [Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA])
async def test_a_media_that_waits_goes_with_its_purpose(world: World, purpose: Purpose) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING", "OLDER_MEDIA")
    await world.bring_in(purpose=purpose)
    assert (await world.withdraw(purpose))["analysis.table.media"] == 1


async def test_fresh_media_are_looked_at_before_anything_is_renewed(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    old = [await world.bring_in() for _ in range(6)]
    await world.work()
    await world.serve(face_detector="face_detector-2")
    fresh = [(await world.bring_in()).media for _ in range(6)]
    world.store.events.clear()
    await world.work()
    order = [media for media, _ in world.store.events]
    assert (set(order[:6]), set(order[6:])) == (set(fresh), {media.media for media in old})


async def test_only_a_few_media_are_renewed_at_a_time(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    for _ in range(6):
        await world.bring_in()
    await world.work()
    world.worker = Worker(world.tools, Pace(batch=2, in_hand=6, renewals=2))
    await world.serve(face_detector="face_detector-2")
    at_work = MostAtWork(world)
    await world.work()
    assert at_work.most == 2


async def test_old_findings_serve_under_the_names_of_their_models_until_they_are_renewed(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    before = await world.only()
    await world.serve(face_embedder="face_embedder-custom-0123456789ab")
    waiting = await world.only()
    assert (waiting.state, waiting.models, waiting.seen is None) == (MediaState.DONE, before.models, False)
    await world.work()
    assert "face_embedder-custom-0123456789ab" in (await world.only()).models


async def test_a_model_that_can_make_nothing_of_a_media_leaves_its_old_findings(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    await world.work()
    before = await world.only()
    await world.serve(face_detector="face_detector-2")
    world.models.failure = TensorRefused("face_detector", "unexpected shape")
    await world.work()
    kept = await world.only()
    assert (kept.state, kept.models, kept.seen is None) == (MediaState.DONE, before.models, False)
    world.models.failure = None
    await world.work_in(RENEWAL_PAUSE.total_seconds())
    assert "face_detector-2" in (await world.only()).models


async def test_nothing_is_looked_at_before_the_server_has_said_what_it_serves(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    world.models.failure = ModelUnavailable("face_detector", "starting")
    world.models.served = {**world.models.served, "face_detector": "face_detector-custom-0123456789ab"}
    working = asyncio.create_task(world.worker.work())
    await world.clock.advance(5)
    assert (await world.only()).state is MediaState.PENDING
    world.models.failure = None
    for _ in range(20):
        await world.clock.advance(1)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert "face_detector-custom-0123456789ab" in (await world.only()).models


class MostAtWork:
    """Counts how many media are looked at at the same time."""

    def __init__(self, world: World) -> None:
        self.most = self._now = 0
        self._classify = world.models.classify
        world.models.classify = self._watched  # type: ignore[method-assign]

    async def _watched(self, square: Picture) -> Scene:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            for _ in range(20):
                await asyncio.sleep(0)
            return await self._classify(square)
        finally:
            self._now -= 1
