"""Lists that narrow and turn round, labels in the caller's language, and previews that resume or come in one stream."""

from uuid import UUID, uuid4

import grpc
import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from services.chassis.error_details import read_error
from tests.integration.analysis.harness import Harness, Reader
from tests.integration.analysis.test_consent import PORTRAIT, reason
from tests.integration.analysis.test_whole_way import about, finished
from tests.integration.eventually import eventually
from tests.unit.analysis.photos import encode, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

THUMBNAIL = analysis_service_pb2.PREVIEW_SIZE_THUMBNAIL
SCREEN = analysis_service_pb2.PREVIEW_SIZE_SCREEN


async def roll(harness: Harness, person: str) -> tuple[Reader, list[str]]:
    """Store a cat, a portrait and a screenshot, one after the other, and a file that is no picture."""
    await harness.grant(person, "CLOUD_PROCESSING")
    files = [
        (encode(photo("chelsea")), about(0)),
        (PORTRAIT, about(600)),
        (encode(photo("coffee")), about(1200, screenshot=True)),
        (b"no picture", about(1800)),
    ]
    names = [(await harness.store(person, data, metadata=metadata)).media for data, metadata in files]
    reader = await harness.as_person(person)
    await finished(reader, len(files))
    return reader, names


async def test_lists_narrow_turn_round_and_go_on(harness: Harness, person: str) -> None:
    reader, (cat, portrait, screenshot, broken) = await roll(harness, person)

    async def listed(**wanted: object) -> list[str]:
        return [each.media for each in await reader.everything(page_size=1, **wanted)]

    assert await listed() == [cat, portrait, screenshot, broken]
    assert await listed(order_by="capture_time desc") == [screenshot, portrait, cat, broken]
    wanted = analysis_pb2.AnalysisFilter(kinds=[analysis_pb2.MEDIA_KIND_SCREENSHOT])
    assert await listed(filter=wanted) == [screenshot]
    assert await listed(filter=analysis_pb2.AnalysisFilter(tag="cat")) == [cat]
    assert await listed(filter=analysis_pb2.AnalysisFilter(states=[analysis_pb2.ANALYSIS_STATE_PARKED])) == [broken]
    between = analysis_pb2.AnalysisFilter()
    between.capture_start_time.FromJsonString("2026-06-01T12:10:00Z")
    between.capture_end_time.FromJsonString("2026-06-01T12:20:00Z")
    assert await listed(filter=between) == [portrait]


async def test_pages_go_on_while_media_come_and_go(harness: Harness, person: str) -> None:
    reader, names = await roll(harness, person)
    request = analysis_service_pb2.ListAnalysesRequest(page_size=2)
    first = await reader.stub.ListAnalyses(request, metadata=reader.headers)
    await harness.erase(person, first.analyses[1].media)
    await eventually(reader.progress, lambda seen: seen == (0, 2, 1))
    await harness.store(person, encode(photo("rocket")), metadata=about(-600))
    await finished(reader, 4)
    request.page_token = first.next_page_token
    second = await reader.stub.ListAnalyses(request, metadata=reader.headers)
    assert [each.media for each in second.analyses] == names[2:]
    request.order_by = "capture_time desc"
    assert await reason(reader.stub.ListAnalyses(request, metadata=reader.headers)) == "FIELD_INVALID"


async def test_tags_have_a_label_in_the_language_asked_for(harness: Harness, person: str) -> None:
    reader, (cat, *_) = await roll(harness, person)
    for language, label in (("", "cat"), ("en-US", "cat"), ("FR_ca", "chat")):
        tags = {
            tag.name: tag.label
            for tag in (await reader.get(cat.upper().replace("MEDIA", "media"), language=language)).findings.tags
        }
        assert tags["cat"] == label
    told = {message.created.media: message.created for message in await reader.changes(language_code="fr")}
    assert "chat" in {tag.label for tag in told[cat].findings.tags}


async def test_a_preview_resumes_where_it_broke(harness: Harness, person: str) -> None:
    reader, (cat, *_) = await roll(harness, person)
    whole = await reader.preview(cat, SCREEN)
    assert await reader.preview(cat, SCREEN, offset=1000) == whole[1000:]
    assert await reader.preview(cat, SCREEN, offset=len(whole)) == b""
    for offset in (-1, len(whole) + 1):
        assert await reason(reader.preview(cat, SCREEN, offset=offset)) == "FIELD_INVALID"


async def test_many_previews_come_in_one_stream_each_with_its_answer(harness: Harness, person: str) -> None:
    reader, (cat, portrait, screenshot, broken) = await roll(harness, person)
    unknown = f"media/{uuid4()}"
    found = await reader.previews([portrait, unknown, broken, cat, screenshot, cat], THUMBNAIL)
    alone = {name: await reader.preview(name, THUMBNAIL) for name in (cat, portrait, screenshot)}
    assert found == [
        (portrait, alone[portrait]),
        (unknown, "MEDIA_NOT_FOUND"),
        (broken, "MEDIA_PARKED"),
        (cat, alone[cat]),
        (screenshot, alone[screenshot]),
        (cat, alone[cat]),
    ]


@pytest.mark.parametrize("media", [[], ["media/42"], [f"media/{UUID(int=1)}"] * 1001], ids=["none", "no name", "many"])
async def test_a_batch_out_of_bounds_is_refused(harness: Harness, person: str, media: list[str]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (await harness.as_person(person)).previews(media, THUMBNAIL)
    assert read_error(refused.value).reason == "FIELD_INVALID"


async def test_a_search_goes_on_with_its_own_query_alone(harness: Harness, person: str) -> None:
    reader, _ = await roll(harness, person)
    request = analysis_service_pb2.SearchMediaRequest(query="cat", page_size=1)
    first = await reader.stub.SearchMedia(request, metadata=reader.headers)
    await harness.store(person, encode(photo("chelsea")), metadata=about(2400))
    await finished(reader, 5)
    both = await reader.stub.SearchMedia(request, metadata=reader.headers)
    assert both.next_page_token
    other = analysis_service_pb2.SearchMediaRequest(query="dog", page_token=both.next_page_token)
    assert await reason(reader.stub.SearchMedia(other, metadata=reader.headers)) == "FIELD_INVALID"
    request.page_token = both.next_page_token
    rest = await reader.stub.SearchMedia(request, metadata=reader.headers)
    assert {match.media for match in rest.matches}.isdisjoint({match.media for match in both.matches})
    assert first.matches
