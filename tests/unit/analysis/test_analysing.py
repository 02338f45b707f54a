from datetime import timedelta

import pytest

from services.analysis.domain import MAX_FAULTS, MediaState, ParkedReason, PreviewSize, Purpose
from services.analysis.errors import ModelAnswerBroken, ModelBusy, ModelMissing, ModelUnavailable, TensorRefused
from services.analysis.findings import Parked, Place, Templates
from services.chassis.errors import DependencyUnavailable
from tests.unit.analysis.photos import LYON
from tests.unit.analysis.world import ANN, BOB, EVERYTHING, MODELS, World, portrait


async def test_everything_granted_everything_is_learnt(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    found = await world.only()
    assert found.state is MediaState.DONE
    made_by = ",".join(MODELS.for_purpose(Purpose(purpose)) for purpose in EVERYTHING).split(",")
    assert found.models == tuple(sorted(set(made_by)))
    assert found.seen is not None
    assert [tag.name for tag in found.seen.tags][:2] == ["cat", "pet"]
    assert found.seen.faces[0].box == pytest.approx((0.3, 0.333, 0.2, 0.267), abs=0.02)
    assert found.place is not None
    assert found.place.position is not None
    assert (found.place.position.latitude, found.place.position.longitude) == pytest.approx(LYON, abs=1e-4)
    assert found.templates is not None
    assert {index: len(template) for index, template in found.templates.by_face.items()} == {0: 128}


async def test_without_face_grouping_no_face_is_ever_described(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING", "LOCATION")
    await world.bring_in()
    await world.work()
    assert (world.models.chips, world.purposes()) == ([], {"CLOUD_PROCESSING", "LOCATION"})
    assert (await world.only()).templates is None


async def test_without_location_no_place_is_kept(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING", "FACE_GROUPING")
    await world.bring_in()
    await world.work()
    assert (world.purposes(), (await world.only()).place) == ({"CLOUD_PROCESSING", "FACE_GROUPING"}, None)


async def test_that_there_is_nothing_to_find_is_known_as_well(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in(portrait(shade=10).replace(b"Exif", b"None"))
    await world.work()
    found = await world.only()
    assert (found.place, found.state) == (Place(None), MediaState.DONE)
    assert isinstance(found.templates, Templates)


async def test_a_media_of_a_purpose_that_was_withdrawn_vanishes(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    world.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    await world.work()
    assert (await world.store.statuses(ANN), world.models.pictures, await world.previews()) == ([], 0, set())


async def test_a_media_that_was_erased_vanishes_and_takes_no_other_along(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = [await world.bring_in() for _ in range(4)]
    world.keyring.destroy_media(ANN, media[1].name)
    await world.work()
    assert {each.media for each in await world.known()} == {each.media for each in media if each is not media[1]}
    assert len(await world.store.statuses(ANN)) == 3


async def test_old_media_are_sealed_for_their_own_purpose(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING", "OLDER_MEDIA")
    await world.bring_in(purpose=Purpose.OLDER_MEDIA)
    await world.work()
    assert world.purposes() == {"OLDER_MEDIA"}
    world.keyring.destroy_purpose(ANN, "OLDER_MEDIA")
    assert await world.known() == []


async def test_every_key_dies_with_its_media_and_in_time(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    used = {row.data_key_id for row in world.store.records.values()}
    used |= {row.data_key_id for row in world.store.previews.values()}
    assert {world.keyring.lineage(str(id_)) for id_ in used} == {(media.name,)}
    assert len(used) == 5
    await world.clock.advance(timedelta(days=20))
    assert await world.known() == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", ParkedReason.CORRUPT), (b"text", ParkedReason.CORRUPT), (portrait()[:-900], ParkedReason.CORRUPT)],
    ids=["empty", "text", "truncated"],
)
async def test_what_is_no_picture_is_parked_for_good(world: World, data: bytes, reason: ParkedReason) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in(data)
    await world.work()
    found = await world.only()
    assert (found.state, found.parked.reason if found.parked else None) == (MediaState.PARKED, reason)
    await world.work_in(3600)
    assert (world.purposes(), await world.previews(), world.models.pictures) == ({"CLOUD_PROCESSING"}, set(), 0)


async def test_what_a_model_refuses_is_parked(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    world.models.failure = TensorRefused("face_detector", "unexpected shape")
    await world.bring_in()
    await world.work()
    assert (await world.only()).parked == Parked(ParkedReason.MODEL_REFUSED, "a model refuses it; send another copy")


async def test_a_missing_object_is_parked(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await world.bring_in()
    await world.objects.delete("media", media.objects)
    await world.work()
    parked = (await world.only()).parked
    assert parked is not None
    assert parked.reason is ParkedReason.OBJECT_BROKEN


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnavailable("face_detector", "gone"),
        ModelBusy("face_detector", "full"),
        ModelMissing("face_detector", "unknown"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_an_outage_of_the_models_costs_time_only(world: World, failure: ModelUnavailable) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    world.models.failure = failure
    media = await world.bring_in()
    for _ in range(MAX_FAULTS + 4):
        await world.work_in(31)
    assert (await world.only()).state is MediaState.PENDING
    world.models.failure = None
    await world.work_in(31)
    assert (await world.only()).state is MediaState.DONE
    assert world.store.events == [(media.media, MediaState.DONE)]


async def test_attempts_come_less_and_less_often(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    world.models.failure = ModelAnswerBroken("scene_classifier", "empty")
    await world.bring_in()
    asked = []
    for _ in range(20):
        before = world.models.pictures
        await world.work_in(1)
        asked.append(world.models.pictures > before)
    assert asked[0]
    assert sum(asked[:6]) > sum(asked[6:])


async def test_answers_that_stay_broken_are_given_up(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    world.models.failure = ModelAnswerBroken("scene_classifier", "empty")
    await world.bring_in()
    for _ in range(MAX_FAULTS + 1):
        await world.work_in(31)
    parked = (await world.only()).parked
    assert parked is not None
    assert parked.reason is ParkedReason.GIVEN_UP


async def test_a_defect_takes_nobody_along_and_is_given_up(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await world.bring_in()
    del world.tools.eyes.models.chips  # type: ignore[attr-defined]
    world.keyring.grant(ANN, "FACE_GROUPING")
    world.keyring.grant(BOB, "CLOUD_PROCESSING")
    await world.bring_in(subject=BOB)
    for _ in range(MAX_FAULTS + 1):
        await world.work_in(31)
    assert (await world.only()).media == media.media
    assert [(await world.only(each)).state for each in (ANN, BOB)] == [MediaState.PARKED, MediaState.DONE]


async def test_a_withdrawal_at_the_last_moment_leaves_nothing(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()

    def withdraw() -> None:
        world.store.before_settling = lambda: None
        revision = world.keyring.destroy_purpose(ANN, "LOCATION")
        world.store._raise(ANN, "LOCATION", revision or 0)

    world.store.before_settling = withdraw
    await world.work()
    assert (world.purposes(), len(await world.previews())) == ({"CLOUD_PROCESSING", "FACE_GROUPING"}, 1)
    assert (await world.only()).state is MediaState.DONE


async def test_keys_that_were_held_for_too_long_are_not_used(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    answered = world.models.classify

    async def slowly(square):  # type: ignore[no-untyped-def]
        world.models.classify = answered  # type: ignore[method-assign]
        await world.clock.advance(10)
        world.keyring.destroy_purpose(ANN, "LOCATION")
        return await answered(square)

    world.models.classify = slowly  # type: ignore[method-assign]
    await world.work()
    assert world.purposes() == {"CLOUD_PROCESSING", "FACE_GROUPING"}
    assert (await world.only()).state is MediaState.DONE


async def test_a_store_that_does_not_answer_costs_time_only(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    put = world.objects.put

    async def fail(bucket: str, name: str, data: bytes) -> None:
        raise DependencyUnavailable("the object store does not answer: call again")

    world.objects.put = fail  # type: ignore[method-assign]
    await world.work()
    assert (await world.only()).state is MediaState.PENDING
    world.objects.put = put  # type: ignore[method-assign]
    await world.work_in(1)
    assert ((await world.only()).state, len(await world.previews())) == (MediaState.DONE, 1)


async def test_new_models_look_at_everything_again_and_leave_nothing_old(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    old_objects, old_keys = await world.previews(), {row.data_key_id for row in world.store.records.values()}
    await world.serve(scene_classifier="scene_classifier-2")
    await world.work()
    assert "scene_classifier-2" in (await world.only()).models
    assert "scene_classifier-1" not in (await world.only()).models
    assert (len(await world.previews()), (await world.previews()) & old_objects) == (1, set())
    seen = world.store.records[media.media, "CLOUD_PROCESSING"]
    opened = await world.keyring.open(subject=ANN, purpose="CLOUD_PROCESSING", ids=[str(id_) for id_ in old_keys])
    assert (seen.data_key_id in old_keys, opened) == (False, {})


async def test_a_new_embedder_describes_faces_again_and_nothing_else(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    await world.bring_in()
    await world.work()
    before = await world.previews()
    looked = world.models.pictures
    await world.serve(face_embedder="face_embedder-custom-0123456789ab")
    await world.work()
    assert "face_embedder-custom-0123456789ab" in (await world.only()).models
    assert (len(world.models.chips), await world.previews(), world.models.pictures) == (2, before, looked + 1)


@pytest.mark.parametrize("size", PreviewSize)
async def test_previews_are_where_their_rows_say(world: World, size: PreviewSize) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await world.bring_in()
    await world.work()
    row = world.store.previews[media.media, size]
    assert row.byte_offset + row.byte_count <= len(await world.objects.get("previews", row.object))
