import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from inference.vision.pictures import Picture
from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from pellicule.type.v1 import purpose_pb2
from services.analysis.domain.media import MediaState
from services.analysis.domain.pace import Pace
from services.analysis.domain.retries import RENEWAL_PAUSE
from services.analysis.errors import ModelUnavailable, TensorRefused
from services.analysis.ports import Scene
from services.analysis.worker import Worker
from services.chassis.messaging.consumer import IncomingEvent
from services.keyring import DataKeyScope, Purpose
from tests.fakes.set_aside import FakeSetAside
from tests.unit.analysis.harness import ANN, BOB, EVERYTHING, Harness


def event(message: Message) -> IncomingEvent:
    return IncomingEvent(
        id=str(uuid4()),
        type=message.DESCRIPTOR.full_name,
        source="/test",
        subject="test",
        time=datetime(2026, 3, 1, tzinfo=UTC),
        body=message.SerializeToString(),
    )


async def hear_grant(harness: Harness, *purposes: str) -> None:
    numbers = [purpose_pb2.Purpose.Value(f"PURPOSE_{purpose}") for purpose in purposes]
    await harness.worker.hear_consent(
        event(consent_changed_pb2.ConsentChanged(subject=ANN, revision=2, granted=numbers))
    )


async def test_a_media_that_is_heard_of_twice_is_analysed_once(harness: Harness) -> None:
    message = media_stored_pb2.MediaStored(
        media=f"media/{uuid4()}",
        subject=ANN,
        purpose=purpose_pb2.PURPOSE_CLOUD_PROCESSING,
        data_key_id=str(uuid4()),
        purpose_revision=1,
        segments=[media_stored_pb2.ObjectSegment(object="one", size_bytes=5)],
    )
    for _ in range(2):
        await harness.worker.hear_media(event(message))
    assert len(await harness.store.statuses(ANN)) == 1


async def test_a_grant_is_caught_up_with(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    await harness.work()
    harness.keyring.grant(ANN, "LOCATION", "GENERATIVE_EDITING")
    await hear_grant(harness, "LOCATION", "GENERATIVE_EDITING")
    looked = harness.models.pictures
    await harness.work()
    assert (harness.purposes(), harness.models.pictures) == ({"CLOUD_PROCESSING", "LOCATION"}, looked)
    assert (await harness.only()).state is MediaState.DONE


async def test_a_grant_without_an_event_is_found_by_the_sweep(harness: Harness) -> None:
    for subject in (ANN, BOB):
        harness.keyring.grant(subject, "CLOUD_PROCESSING")
        await harness.bring_in(subject=subject)
    await harness.work()
    harness.keyring.grant(BOB, "FACE_GROUPING")
    await harness.worker.sweep_grants()
    await harness.work()
    assert ((await harness.only(BOB)).templates is None, (await harness.only(ANN)).templates is None) == (False, True)


async def test_a_sweep_that_finds_nothing_asks_for_nothing(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    for step in (harness.worker.sweep_models, harness.worker.sweep_grants, harness.worker.sweep_expired):
        await step()
    assert [status.state for status in await harness.store.statuses(ANN)] == [MediaState.DONE]


async def test_nothing_is_claimed_while_the_models_are_paused(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    harness.models.pause = timedelta(seconds=5)
    await harness.work()
    (claim,) = await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now())
    assert claim.attempts == 1


async def test_a_withdrawn_purpose_leaves_no_row_and_no_object(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    for _ in range(3):
        await harness.bring_in()
    await harness.work()
    assert await harness.withdraw("CLOUD_PROCESSING") == {
        "analysis.table.media": 3,
        "analysis.table.findings": 9,
        "analysis.table.previews": 6,
        "analysis.bucket.previews": 3,
    }
    assert (harness.store.records, harness.store.previews, await harness.previews()) == ({}, {}, set())


async def test_a_withdrawn_extra_leaves_the_rest(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    deleted = await harness.withdraw("FACE_GROUPING")
    assert (deleted["analysis.table.findings"], deleted["analysis.table.media"]) == (1, 0)
    found = await harness.only()
    assert (found.templates, found.scene is None, found.place is None) == (None, False, False)


async def test_an_erased_media_leaves_no_row_and_no_object(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    first, second = await harness.bring_in(), await harness.bring_in()
    await harness.work()
    deleted = await harness.erase(first)
    assert deleted["analysis.table.findings"] == 3
    assert ([each.media for each in await harness.known()], len(await harness.previews())) == ([second.media], 1)


async def test_an_order_can_be_carried_out_twice(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    scope = DataKeyScope(tuple(harness.keyring.destroy_media(ANN, media.name)))
    await harness.order(scope)
    assert set((await harness.order(scope)).values()) == {0}


async def test_an_erased_person_leaves_nothing_and_others_everything(harness: Harness) -> None:
    for subject in (ANN, BOB):
        harness.keyring.grant(subject, *EVERYTHING)
        await harness.bring_in(subject=subject)
    await harness.work()
    await harness.erase_person()
    assert (await harness.store.statuses(ANN), len(await harness.known(BOB)), len(await harness.previews())) == (
        [],
        1,
        1,
    )


async def test_somebody_who_comes_back_after_an_erasure_starts_afresh(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    await harness.erase_person()
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    assert (await harness.only()).media == media.media


async def test_media_past_their_time_go_by_themselves(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    await harness.clock.advance(timedelta(days=21))
    await harness.worker.sweep_expired()
    assert (await harness.store.statuses(ANN), await harness.previews()) == ([], set())


async def test_a_failed_attempt_leaves_its_claim_to_others(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    harness.models.failure = ModelUnavailable("face_detector", "gone")
    await harness.work()
    later = harness.clock.now() + timedelta(seconds=2)
    assert len(await harness.store.claim(limit=1, now=later, until=later)) == 1


@pytest.mark.parametrize("purpose", [Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA])
async def test_a_media_that_waits_goes_with_its_purpose(harness: Harness, purpose: Purpose) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "OLDER_MEDIA")
    await harness.bring_in(purpose=purpose)
    assert (await harness.withdraw(purpose))["analysis.table.media"] == 1


async def test_fresh_media_are_looked_at_before_anything_is_renewed(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    old = [await harness.bring_in() for _ in range(6)]
    await harness.work()
    await harness.serve(face_detector="face_detector-2")
    fresh = [(await harness.bring_in()).media for _ in range(6)]
    harness.store.events.clear()
    await harness.work()
    order = [media for media, _ in harness.store.events]
    assert (set(order[:6]), set(order[6:])) == (set(fresh), {media.media for media in old})


async def test_only_a_few_media_are_renewed_at_a_time(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    for _ in range(6):
        await harness.bring_in()
    await harness.work()
    harness.worker = Worker(harness.dependencies, Pace(batch=2, in_hand=6, renewals=2), FakeSetAside())
    await harness.serve(face_detector="face_detector-2")
    at_work = MostAtWork(harness)
    await harness.work()
    assert at_work.most == 2


async def test_old_findings_serve_under_the_names_of_their_models_until_they_are_renewed(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    before = await harness.only()
    await harness.serve(face_embedder="face_embedder-custom-0123456789ab")
    waiting = await harness.only()
    assert (waiting.state, waiting.models, waiting.scene is None) == (MediaState.DONE, before.models, False)
    await harness.work()
    assert "face_embedder-custom-0123456789ab" in (await harness.only()).models


async def test_a_model_that_can_make_nothing_of_a_media_leaves_its_old_findings(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    await harness.work()
    before = await harness.only()
    await harness.serve(face_detector="face_detector-2")
    harness.models.failure = TensorRefused("face_detector", "unexpected shape")
    await harness.work()
    kept = await harness.only()
    assert (kept.state, kept.models, kept.scene is None) == (MediaState.DONE, before.models, False)
    harness.models.failure = None
    await harness.work_in(RENEWAL_PAUSE.total_seconds())
    assert "face_detector-2" in (await harness.only()).models


async def test_nothing_is_looked_at_before_the_server_has_said_what_it_serves(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    harness.models.failure = ModelUnavailable("face_detector", "starting")
    harness.models.served = {**harness.models.served, "face_detector": "face_detector-custom-0123456789ab"}
    working = asyncio.create_task(harness.worker.work())
    await harness.clock.advance(5)
    assert (await harness.only()).state is MediaState.PENDING
    harness.models.failure = None
    for _ in range(20):
        await harness.clock.advance(1)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert "face_detector-custom-0123456789ab" in (await harness.only()).models


async def test_what_is_in_hand_comes_to_its_end_when_the_process_is_told_to_stop(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    await harness.bring_in()
    in_hand, go_on = hold_up(harness)
    harness.worker = Worker(
        harness.dependencies, Pace(batch=1, in_hand=1, finish=timedelta(seconds=60)), FakeSetAside()
    )
    working = asyncio.create_task(harness.worker.work())
    await in_hand.wait()
    working.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(working, return_exceptions=True)
    states = sorted(status.state for status in await harness.store.statuses(ANN))
    assert states == [MediaState.DONE, MediaState.PENDING]


async def test_what_takes_too_long_to_come_to_its_end_is_given_back_at_once(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    in_hand, _ = hold_up(harness)
    working = asyncio.create_task(harness.worker.work())
    await in_hand.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    (claim,) = await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now())
    assert claim.faults == 0


async def test_a_withdrawal_stops_work_whose_order_another_process_carries_out(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "LOCATION")
    await harness.bring_in()
    in_hand, go_on = hold_up(harness)
    working = asyncio.create_task(harness.worker.work())
    await in_hand.wait()
    harness.keyring.destroy_purpose(ANN, "LOCATION")
    for _ in range(20):
        await asyncio.sleep(0)
    assert await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now()) == []
    harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    harness.models.pause = timedelta(seconds=5)
    for _ in range(20):
        await asyncio.sleep(0)
    released = await harness.store.claim(limit=1, now=harness.clock.now(), until=harness.clock.now())
    go_on.set()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(released) == 1


def hold_up(harness: Harness) -> tuple[asyncio.Event, asyncio.Event]:
    """Have the models answer when told; return what says that they were asked, and what tells them."""
    asked, answer = asyncio.Event(), asyncio.Event()
    classify = harness.models.classify

    async def slow(square: Picture) -> Scene:
        asked.set()
        await answer.wait()
        return await classify(square)

    harness.models.classify = slow  # type: ignore[method-assign]
    return asked, answer


class MostAtWork:
    """Counts how many media are analysed at the same time."""

    def __init__(self, harness: Harness) -> None:
        self.most = self._now = 0
        self._classify = harness.models.classify
        harness.models.classify = self._watched  # type: ignore[method-assign]

    async def _watched(self, square: Picture) -> Scene:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            for _ in range(20):
                await asyncio.sleep(0)
            return await self._classify(square)
        finally:
            self._now -= 1
