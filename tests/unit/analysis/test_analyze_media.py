from datetime import timedelta

import pytest

from services.analysis.domain.findings import Parked, Place, Templates
from services.analysis.domain.media import MediaState, ParkedReason, PreviewSize
from services.analysis.domain.retries import MAX_FAULTS
from services.analysis.errors import ModelAnswerBroken, ModelBusy, ModelMissing, ModelUnavailable, TensorRefused
from services.chassis.errors import DependencyUnavailable
from services.keyring import Purpose
from tests.unit.analysis.harness import ANN, BOB, EVERYTHING, MODELS, Harness, portrait
from tests.unit.analysis.photos import LYON


async def test_everything_granted_everything_is_learnt(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    found = await harness.only()
    assert found.state is MediaState.DONE
    made_by = ",".join(MODELS.for_purpose(Purpose(purpose)) for purpose in EVERYTHING).split(",")
    assert found.models == tuple(sorted(set(made_by)))
    assert found.scene is not None
    assert [tag.name for tag in found.scene.tags][:2] == ["cat", "pet"]
    assert found.scene.faces[0].box == pytest.approx((0.3, 0.333, 0.2, 0.267), abs=0.02)
    assert found.place is not None
    assert found.place.position is not None
    assert (found.place.position.latitude, found.place.position.longitude) == pytest.approx(LYON, abs=1e-4)
    assert found.templates is not None
    assert {index: len(template) for index, template in found.templates.by_face.items()} == {0: 128}


async def test_without_face_grouping_no_face_is_ever_described(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "LOCATION")
    await harness.bring_in()
    await harness.work()
    assert (harness.models.chips, harness.purposes()) == ([], {"CLOUD_PROCESSING", "LOCATION"})
    assert (await harness.only()).templates is None


async def test_without_location_no_place_is_kept(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "FACE_GROUPING")
    await harness.bring_in()
    await harness.work()
    assert (harness.purposes(), (await harness.only()).place) == ({"CLOUD_PROCESSING", "FACE_GROUPING"}, None)


async def test_that_there_is_nothing_to_find_is_known_as_well(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in(portrait(shade=10).replace(b"Exif", b"None"))
    await harness.work()
    found = await harness.only()
    assert (found.place, found.state) == (Place(None), MediaState.DONE)
    assert isinstance(found.templates, Templates)


async def test_a_media_of_a_purpose_that_was_withdrawn_is_deleted(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    await harness.work()
    assert (await harness.store.statuses(ANN), harness.models.pictures, await harness.previews()) == ([], 0, set())


async def test_a_media_that_was_erased_is_deleted_and_takes_no_other_along(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = [await harness.bring_in() for _ in range(4)]
    harness.keyring.destroy_media(ANN, media[1].name)
    await harness.work()
    assert {each.media for each in await harness.known()} == {each.media for each in media if each is not media[1]}
    assert len(await harness.store.statuses(ANN)) == 3


async def test_old_media_are_sealed_for_their_own_purpose(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "OLDER_MEDIA")
    await harness.bring_in(purpose=Purpose.OLDER_MEDIA)
    await harness.work()
    assert harness.purposes() == {"OLDER_MEDIA"}
    harness.keyring.destroy_purpose(ANN, "OLDER_MEDIA")
    assert await harness.known() == []


async def test_every_key_dies_with_its_media_and_in_time(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    used = {row.data_key_id for row in harness.store.records.values()}
    used |= {row.data_key_id for row in harness.store.previews.values()}
    assert {harness.keyring.lineage(str(id_)) for id_ in used} == {(media.name,)}
    assert len(used) == 5
    await harness.clock.advance(timedelta(days=20))
    assert await harness.known() == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", ParkedReason.CORRUPT), (b"text", ParkedReason.CORRUPT), (portrait()[:-900], ParkedReason.CORRUPT)],
    ids=["empty", "text", "truncated"],
)
async def test_what_is_no_picture_is_parked_for_good(harness: Harness, data: bytes, reason: ParkedReason) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in(data)
    await harness.work()
    found = await harness.only()
    assert (found.state, found.parked.reason if found.parked else None) == (MediaState.PARKED, reason)
    await harness.work_in(3600)
    assert (harness.purposes(), await harness.previews(), harness.models.pictures) == ({"CLOUD_PROCESSING"}, set(), 0)


async def test_what_a_model_refuses_is_parked(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    harness.models.failure = TensorRefused("face_detector", "unexpected shape")
    await harness.bring_in()
    await harness.work()
    assert (await harness.only()).parked == Parked(ParkedReason.MODEL_REFUSED, "a model refuses it; send another copy")


async def test_a_missing_object_is_parked(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.objects.delete("media", media.objects)
    await harness.work()
    parked = (await harness.only()).parked
    assert parked is not None
    assert parked.reason is ParkedReason.OBJECT_BROKEN


async def test_a_media_that_was_missing_is_analysed_once_it_was_uploaded_again(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.objects.delete("media", media.objects)
    await harness.work()
    await harness.replace(media, portrait())
    await harness.work()
    assert (await harness.only()).state is MediaState.DONE


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnavailable("face_detector", "gone"),
        ModelBusy("face_detector", "full"),
        ModelMissing("face_detector", "unknown"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_an_outage_of_the_models_costs_time_only(harness: Harness, failure: ModelUnavailable) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    harness.models.failure = failure
    media = await harness.bring_in()
    for _ in range(MAX_FAULTS + 4):
        await harness.work_in(31)
    assert (await harness.only()).state is MediaState.PENDING
    harness.models.failure = None
    await harness.work_in(31)
    assert (await harness.only()).state is MediaState.DONE
    assert harness.store.events == [(media.media, MediaState.DONE)]


async def test_attempts_come_less_and_less_often(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    harness.models.failure = ModelAnswerBroken("scene_classifier", "empty")
    await harness.bring_in()
    asked = []
    for _ in range(20):
        before = harness.models.pictures
        await harness.work_in(1)
        asked.append(harness.models.pictures > before)
    assert asked[0]
    assert sum(asked[:6]) > sum(asked[6:])


async def test_answers_that_stay_broken_are_given_up(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    harness.models.failure = ModelAnswerBroken("scene_classifier", "empty")
    await harness.bring_in()
    for _ in range(MAX_FAULTS + 1):
        await harness.work_in(31)
    parked = (await harness.only()).parked
    assert parked is not None
    assert parked.reason is ParkedReason.GIVEN_UP


async def test_a_defect_takes_no_other_person_along_and_is_given_up(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    del harness.dependencies.vision.models.chips  # type: ignore[attr-defined]
    harness.keyring.grant(ANN, "FACE_GROUPING")
    harness.keyring.grant(BOB, "CLOUD_PROCESSING")
    await harness.bring_in(subject=BOB)
    for _ in range(MAX_FAULTS + 1):
        await harness.work_in(31)
    assert (await harness.only()).media == media.media
    assert [(await harness.only(each)).state for each in (ANN, BOB)] == [MediaState.PARKED, MediaState.DONE]


async def test_a_withdrawal_at_the_last_moment_leaves_nothing(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()

    def withdraw() -> None:
        harness.store.before_commit = lambda: None
        revision = harness.keyring.destroy_purpose(ANN, "LOCATION")
        harness.store._raise_fence(ANN, "LOCATION", revision or 0)

    harness.store.before_commit = withdraw
    await harness.work()
    assert (harness.purposes(), len(await harness.previews())) == ({"CLOUD_PROCESSING", "FACE_GROUPING"}, 1)
    assert (await harness.only()).state is MediaState.DONE


async def test_keys_that_were_held_for_too_long_are_not_used(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    answered = harness.models.classify

    async def slowly(square):  # type: ignore[no-untyped-def]
        harness.models.classify = answered  # type: ignore[method-assign]
        await harness.clock.advance(10)
        harness.keyring.destroy_purpose(ANN, "LOCATION")
        return await answered(square)

    harness.models.classify = slowly  # type: ignore[method-assign]
    await harness.work()
    assert harness.purposes() == {"CLOUD_PROCESSING", "FACE_GROUPING"}
    assert (await harness.only()).state is MediaState.DONE


async def test_a_store_that_does_not_answer_costs_time_only(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    put = harness.objects.put

    async def fail(bucket: str, name: str, data: bytes) -> None:
        raise DependencyUnavailable("the object store does not answer: call again")

    harness.objects.put = fail  # type: ignore[method-assign]
    await harness.work()
    assert (await harness.only()).state is MediaState.PENDING
    harness.objects.put = put  # type: ignore[method-assign]
    await harness.work_in(1)
    assert ((await harness.only()).state, len(await harness.previews())) == (MediaState.DONE, 1)


async def test_new_models_look_at_everything_again_and_leave_nothing_old(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    old_objects, old_keys = await harness.previews(), {row.data_key_id for row in harness.store.records.values()}
    await harness.serve(scene_classifier="scene_classifier-2")
    await harness.work()
    assert "scene_classifier-2" in (await harness.only()).models
    assert "scene_classifier-1" not in (await harness.only()).models
    assert (len(await harness.previews()), (await harness.previews()) & old_objects) == (1, set())
    renewed = harness.store.records[media.media, "CLOUD_PROCESSING"]
    opened = await harness.keyring.open(subject=ANN, purpose="CLOUD_PROCESSING", ids=[str(id_) for id_ in old_keys])
    assert (renewed.data_key_id in old_keys, opened) == (False, {})


async def test_a_new_embedder_describes_faces_again_and_nothing_else(harness: Harness) -> None:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in()
    await harness.work()
    before = await harness.previews()
    looked = harness.models.pictures
    await harness.serve(face_embedder="face_embedder-custom-0123456789ab")
    await harness.work()
    assert "face_embedder-custom-0123456789ab" in (await harness.only()).models
    assert (len(harness.models.chips), await harness.previews(), harness.models.pictures) == (2, before, looked + 1)


@pytest.mark.parametrize("size", PreviewSize)
async def test_previews_are_where_their_rows_say(harness: Harness, size: PreviewSize) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.work()
    row = harness.store.previews[media.media, size]
    assert row.byte_offset + row.byte_count <= len(await harness.objects.get("previews", row.object))
