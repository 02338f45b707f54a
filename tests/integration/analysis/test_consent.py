"""Nothing is learnt without a key, and nothing learnt outlives it."""

from uuid import UUID

import grpc
import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from services.chassis.error_details import read_error
from tests.integration.analysis.harness import Harness, Reader
from tests.integration.analysis.test_whole_way import about, finished
from tests.integration.clear_text import without_times_of_day
from tests.integration.eventually import eventually
from tests.unit.analysis.photos import LYON, encode, exif, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

PREVIEW = analysis_service_pb2.PREVIEW_SIZE_SCREEN
PORTRAIT = encode(photo("astronaut"), exif=exif(position=LYON))


async def reason(call: object) -> str:
    """Return the reason for which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call  # type: ignore[misc]
    return read_error(failed.value).reason


async def purposes(harness: Harness, person: str) -> set[object]:
    """Return the purposes that anything is stored for."""
    rows = await harness.rows(
        "SELECT DISTINCT findings.purpose FROM findings JOIN media ON media.id = media_id"
        f" WHERE subject = '{harness.subject(person)}'"
    )
    return {purpose for (purpose,) in rows}


async def left_over(harness: Harness, person: str) -> tuple[object, ...]:
    """Count a person's rows and everybody's previews without a row."""
    (media,) = await harness.rows(f"SELECT count(*) FROM media WHERE subject = '{harness.subject(person)}'")
    known = {name for (name,) in await harness.rows("SELECT object FROM previews")}
    drafts = {name for (name,) in await harness.rows("SELECT unnest(drafts) FROM media")}
    strays = [name async for name in harness.previews.list("previews") if name not in known | drafts]
    return (*media, len(strays))


async def test_without_face_grouping_there_is_no_template_anywhere(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION")
    stored = await harness.store(person, PORTRAIT, metadata=about())
    reader, suggestion = await harness.as_person(person), await harness.as_suggestion(person)
    await finished(reader, 1)
    (found,) = await suggestion.library()
    assert (found.analysis.media, list(found.face_templates)) == (stored.media, [])
    assert found.analysis.findings.HasField("position")
    assert await purposes(harness, person) == {"CLOUD_PROCESSING", "LOCATION"}


async def test_without_location_there_is_no_position_anywhere(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    stored = await harness.store(person, PORTRAIT, metadata=about())
    reader, suggestion = await harness.as_person(person), await harness.as_suggestion(person)
    await finished(reader, 1)
    (found,) = await suggestion.library()
    assert (found.analysis.media, [len(template) for template in found.face_templates]) == (stored.media, [512])
    assert not found.analysis.findings.HasField("position")
    assert await purposes(harness, person) == {"CLOUD_PROCESSING", "FACE_GROUPING"}


@pytest.mark.parametrize("tell", [True, False], ids=["heard", "event lost"])
async def test_a_purpose_granted_later_is_caught_up_with(harness: Harness, person: str, tell: bool) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    await harness.store(person, PORTRAIT, metadata=about())
    suggestion = await harness.as_suggestion(person)
    await finished(suggestion, 1)
    await harness.grant(person, "LOCATION", "FACE_GROUPING", tell=tell)
    (found,) = await eventually(
        suggestion.library,
        lambda seen: seen[0].analysis.findings.HasField("position") and len(seen[0].face_templates) == 1,
    )
    assert found.analysis.findings.position.latitude == pytest.approx(LYON[0], abs=1e-4)
    await finished(suggestion, 1)


async def test_a_withdrawal_during_the_analysis_stops_it_and_leaves_nothing(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
    for number in range(16):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    reader = await harness.as_person(person)
    await eventually(reader.progress, lambda seen: seen[1] >= 1)
    await harness.withdraw(person, "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
    assert await reason(reader.everything()) == "PURPOSE_NOT_GRANTED"
    await eventually(lambda: left_over(harness, person), lambda seen: seen == (0, 0))
    assert await reader.progress() == (0, 0, 0)
    assert await reason(reader.everything()) == "PURPOSE_NOT_GRANTED"


async def test_location_withdrawn_takes_positions_and_nothing_else(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION")
    stored = await harness.store(person, PORTRAIT, metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    await harness.withdraw(person, "LOCATION")
    found = await reader.get(stored.media)
    assert (found.findings.HasField("position"), len(found.findings.faces)) == (False, 1)
    await eventually(lambda: purposes(harness, person), lambda seen: seen == {"CLOUD_PROCESSING"})
    await harness.grant(person, "LOCATION")
    await eventually(lambda: reader.get(stored.media), lambda seen: seen.findings.HasField("position"))


async def test_older_media_withdrawn_takes_all_that_was_learnt_of_them(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "OLDER_MEDIA", "LOCATION")
    old = await harness.store(person, PORTRAIT, purpose="OLDER_MEDIA", metadata=about())
    new = await harness.store(person, PORTRAIT, metadata=about(600))
    reader = await harness.as_person(person)
    await finished(reader, 2)
    assert [each.media for each in await reader.everything()] == [old.media, new.media]
    await harness.withdraw(person, "OLDER_MEDIA")
    assert [each.media for each in await reader.everything()] == [new.media]
    await eventually(lambda: left_over(harness, person), lambda seen: seen == (1, 0))


async def test_an_erased_media_is_gone_at_once_and_its_rows_soon(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
    first, second = [await harness.store(person, PORTRAIT, metadata=about(n * 600)) for n in range(2)]
    reader = await harness.as_person(person)
    await finished(reader, 2)
    await harness.erase(person, first.media)
    assert await reason(reader.get(first.media)) == "MEDIA_NOT_FOUND"
    assert await reason(reader.preview(first.media, PREVIEW)) == "MEDIA_NOT_FOUND"
    assert [each.media for each in await reader.everything()] == [second.media]
    await eventually(lambda: left_over(harness, person), lambda seen: seen == (1, 0))
    await harness.announce(first)
    other = await harness.store(person, PORTRAIT, metadata=about(9000))
    await eventually(reader.progress, lambda seen: seen == (0, 2, 0))
    assert {each.media for each in await reader.everything()} == {second.media, other.media}


async def test_a_person_sees_nothing_of_another(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stranger = f"{person}-stranger"
    await harness.grant(stranger, "CLOUD_PROCESSING")
    stored = await harness.store(person, PORTRAIT, metadata=about())
    await finished(await harness.as_person(person), 1)
    for other in (await harness.as_person(stranger), await harness.as_suggestion(stranger)):
        assert await reason(other.get(stored.media)) == "MEDIA_NOT_FOUND"
        assert await reason(other.preview(stored.media, PREVIEW)) == "MEDIA_NOT_FOUND"
        assert (await other.everything(), await other.progress()) == ([], (0, 0, 0))


async def test_persons_get_no_embeddings(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (await harness.as_person(person)).library()
    assert refused.value.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED)


@pytest.mark.parametrize("name", ["", "media/", "media/42", "uploads/00000000-0000-0000-0000-000000000000"])
async def test_a_name_that_is_none_is_a_field_violation(harness: Harness, person: str, name: str) -> None:
    reader = await harness.as_person(person)
    assert await reason(reader.get(name)) == "FIELD_INVALID"
    assert await reason(reader.preview(name, PREVIEW)) == "FIELD_INVALID"


async def test_a_page_size_or_token_that_is_none_is_a_field_violation(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    reader = await harness.as_person(person)
    assert await reader.everything(page_size=1001) == []
    request = analysis_service_pb2.ListAnalysesRequest(page_size=-1, page_token="nonsense", order_by="size")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await reader.stub.ListAnalyses(request, metadata=reader.headers)
    found = read_error(refused.value)
    assert found.reason == "FIELD_INVALID"
    assert {violation.field for violation in found.violations} == {"page_size", "page_token", "order_by"}


async def test_a_language_that_is_not_offered_is_named_with_those_that_are(harness: Harness, person: str) -> None:
    reader = await harness.as_person(person)
    calls = (reader.get(f"media/{UUID(int=1)}", language="xx"), reader.everything(language_code="xx"))
    for call in calls:
        assert await reason(call) == "LANGUAGE_UNKNOWN"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await reader.changes(language_code="xx")
    assert read_error(refused.value).metadata == {"language_code": "xx", "language_codes": "en, fr"}


async def test_a_parked_media_has_no_preview(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, b"no picture", metadata=about())
    reader: Reader = await harness.as_person(person)
    await finished(reader, 1)
    assert (await reader.get(stored.media)).state == analysis_pb2.ANALYSIS_STATE_PARKED
    assert await reason(reader.preview(stored.media, PREVIEW)) == "MEDIA_PARKED"


async def test_nothing_personal_is_in_clear_in_any_row(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
    await harness.store(person, PORTRAIT, metadata=about())
    await finished(await harness.as_person(person), 1)
    tables = ("media", "findings", "previews", "outbox", "inbox", "change_feed")
    everything = repr([await harness.rows(f"SELECT {table}.*::text FROM {table}") for table in tables])
    said = without_times_of_day(everything)
    marks = ("45.76", "4.83", "2026-06-01", "sharpness", "kind", "faces", "tags", "orientation")
    assert [mark for mark in marks if mark in said] == []
