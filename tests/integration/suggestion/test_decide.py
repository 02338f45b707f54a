"""What its owner does with a suggestion, who is told of it, and what is refused."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import grpc
import pytest
from nats.js.api import ConsumerConfig

from pellicule.internal.suggestion.v1 import suggestion_saved_pb2
from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.chassis.error_details import read_error
from tests.integration.suggestion.harness import Harness
from tests.integration.suggestion.person import PATIENCE_SECONDS, Person, failure

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "SUGGESTION_NOT_FOUND")
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def one_suggestion(harness: Harness, person: Person) -> suggestion_pb2.Suggestion:
    await harness.photos(person)
    await person.refresh()
    (suggestion,) = await person.offered()
    return suggestion


async def saved_events(harness: Harness, person: Person, count: int) -> Sequence[suggestion_saved_pb2.SuggestionSaved]:
    """Return this person's events once there are so many; those that come too much would be among them."""
    bus = await harness.hear("suggestion")
    subscription = await bus.jetstream.pull_subscribe(
        suggestion_saved_pb2.SuggestionSaved.DESCRIPTOR.full_name,
        stream="SUGGESTION",
        config=ConsumerConfig(name=f"test-{uuid4()}"),
    )
    found: list[suggestion_saved_pb2.SuggestionSaved] = []
    while len(found) < count:
        for message in await subscription.fetch(100, timeout=PATIENCE_SECONDS):
            event = suggestion_saved_pb2.SuggestionSaved.FromString(message.data)
            found += [event] if event.subject == person.subject else []
    return found


async def test_saving_is_told_once_with_the_media(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    request_id = str(uuid4())
    for _ in range(2):
        assert (await ada.save(suggestion.name, request_id)).state == suggestion_pb2.SUGGESTION_STATE_SAVED
    (event,) = await saved_events(harness, ada, 1)
    assert (event.suggestion, list(event.media)) == (suggestion.name, list(suggestion.media))


async def test_a_dismissed_suggestion_is_offered_no_more_and_cannot_be_saved(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    await ada.dismiss(suggestion.name)
    assert await ada.offered() == []
    assert await ada.refresh() == 0
    assert await failure(ada.save(suggestion.name)) == (grpc.StatusCode.FAILED_PRECONDITION, "STATE_NOT_ALLOWED")


async def test_a_dismissal_is_taken_back(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    await ada.save(suggestion.name)
    await ada.dismiss(suggestion.name)
    request_id = str(uuid4())
    for _ in range(2):
        assert (await ada.restore(suggestion.name, request_id)).state == suggestion_pb2.SUGGESTION_STATE_SAVED
    assert [each.name for each in await ada.offered()] == [suggestion.name]
    assert await failure(ada.restore(suggestion.name)) == (grpc.StatusCode.FAILED_PRECONDITION, "STATE_NOT_ALLOWED")


async def test_a_request_id_stands_for_one_request(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    reused = (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    saving, dismissing = str(uuid4()), str(uuid4())
    await ada.save(suggestion.name, saving)
    assert await failure(ada.dismiss(suggestion.name, saving)) == reused
    assert (await ada.get(suggestion.name)).state == suggestion_pb2.SUGGESTION_STATE_SAVED
    await ada.dismiss(suggestion.name, dismissing)
    assert await failure(ada.restore(suggestion.name, dismissing)) == reused
    assert await failure(ada.save(suggestion.name, dismissing)) == reused


async def test_names_and_request_ids_are_read_in_any_case(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    request_id, shouted = str(uuid4()), f"suggestions/{suggestion.name.partition('/')[2].upper()}"
    assert (await ada.get(shouted)).name == suggestion.name
    await ada.save(shouted, request_id)
    assert (await ada.save(suggestion.name, request_id.upper())).state == suggestion_pb2.SUGGESTION_STATE_SAVED


async def test_every_wrong_field_is_named_at_once(ada: Person) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ada.dismiss("suggestions/1", "1")
    assert [each.field for each in read_error(caught.value).violations] == ["name", "request_id"]


async def test_to_everyone_else_a_suggestion_does_not_exist(harness: Harness, ada: Person, ben: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    assert await ben.offered() == []
    assert await failure(ben.get(suggestion.name)) == NOT_FOUND
    assert await failure(ben.read(suggestion.renditions[0].name)) == NOT_FOUND
    assert await failure(ben.save(suggestion.name)) == NOT_FOUND
    assert await failure(ben.dismiss(suggestion.name)) == NOT_FOUND
    assert await failure(ben.restore(suggestion.name)) == NOT_FOUND
    assert await failure(ben.get(f"suggestions/{uuid4()}")) == NOT_FOUND
    assert (await ada.get(suggestion.name)).state == suggestion_pb2.SUGGESTION_STATE_READY


async def test_titles_come_in_the_language_asked_for(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    french = await ada.get(suggestion.name, "fr-CA")
    assert suggestion.title == "Saturday afternoon, 2 May"
    assert french.title == "Samedi après-midi, 2 mai"
    assert [each.title for each in (await ada.list(language="FR")).suggestions] == [french.title]
    (clock,) = [each for each in french.evidence if each.signal == suggestion_pb2.EVIDENCE_SIGNAL_TIME]
    assert (clock.value, clock.label) == ("20", "en 20 minutes")
    async with ada.watching("fr") as watch:
        assert (await watch.next()).created.title == french.title
    request = suggestion_service_pb2.SaveSuggestionRequest(
        request_id=str(uuid4()), name=suggestion.name, language_code="fr-FR"
    )
    saved = await ada.stub.SaveSuggestion(request, metadata=ada.headers)
    assert saved.suggestion.title == french.title


async def test_an_unknown_language_is_refused_with_those_that_exist(harness: Harness, ada: Person) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ada.list(language="xx")
    said = read_error(caught.value)
    assert (said.reason, said.domain) == ("LANGUAGE_UNKNOWN", "suggestion.pellicule")
    assert said.metadata == {"language_code": "xx", "language_codes": "en, fr"}
    refusal = (grpc.StatusCode.INVALID_ARGUMENT, "LANGUAGE_UNKNOWN")
    assert await failure(ada.get(f"suggestions/{uuid4()}", "xx")) == refusal
    async with ada.watching("xx") as watch:
        assert await failure(watch.next()) == refusal


@pytest.mark.parametrize(
    "name",
    [
        "",
        "suggestions/",
        "suggestions/1",
        f"media/{UUID(int=1)}",
        f"suggestions/{UUID(int=1)}/",
        f"suggestions/{'-' * 36}",
    ],
)
async def test_a_wrong_name_is_refused_by_its_field(ada: Person, name: str) -> None:
    assert await failure(ada.get(name)) == INVALID
    assert await failure(ada.save(name)) == INVALID
    assert await failure(ada.dismiss(name)) == INVALID
    assert await failure(ada.restore(name)) == INVALID
    assert await failure(ada.read(f"{name}/renditions/1")) == INVALID


async def test_a_rendition_that_is_not_there_is_not_found(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    missing = (grpc.StatusCode.NOT_FOUND, "RENDITION_NOT_FOUND")
    assert await failure(ada.read(f"{suggestion.name}/renditions/9")) == missing
    assert await failure(ada.read(f"{suggestion.name}/renditions/0")) == INVALID
    assert await failure(ada.read(f"{suggestion.name}/renditions/one")) == INVALID


async def test_a_reading_that_broke_goes_on_from_its_offset(harness: Harness, ada: Person) -> None:
    rendition = (await one_suggestion(harness, ada)).renditions[0]
    whole = b"".join(await ada.read(rendition.name))
    header = (await ada.stream(rendition.name, 1000))[0].header
    assert (header.content_type, header.size_bytes, header.offset) == ("image/jpeg", len(whole), 1000)
    assert b"".join(await ada.read(rendition.name, 1000)) == whole[1000:]
    assert await ada.read(rendition.name, len(whole)) == []
    for offset in (-1, len(whole) + 1):
        assert await failure(ada.read(rendition.name, offset)) == INVALID


async def test_an_altered_object_is_never_shown(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    name = (await harness.objects_of(ada))[0]
    content = await harness.renditions.get("renditions", name)
    await harness.renditions.put("renditions", name, content[:-1] + bytes([content[-1] ^ 1]))
    results = [
        await failure(ada.read(each.name)) for each in suggestion.renditions if not await readable(ada, each.name)
    ]
    assert results == [(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")]


async def readable(person: Person, rendition: str) -> bool:
    try:
        return bool(await person.read(rendition))
    except grpc.aio.AioRpcError:
        return False


@pytest.mark.parametrize("request_id", ["", "1", "not-a-uuid"])
async def test_a_request_without_an_id_is_refused(ada: Person, request_id: str) -> None:
    name = f"suggestions/{uuid4()}"
    request = suggestion_service_pb2.SaveSuggestionRequest(request_id=request_id, name=name)
    assert await failure(ada.stub.SaveSuggestion(request, metadata=ada.headers)) == INVALID


async def test_without_a_token_nothing_is_answered(ada: Person) -> None:
    ada.headers = grpc.aio.Metadata()
    assert await failure(ada.list()) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
    assert await failure(ada.read(f"suggestions/{uuid4()}/renditions/1")) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_MISSING",
    )


async def test_services_see_no_suggestions(harness: Harness, ada: Person) -> None:
    other = await harness.service_acting_for(ada, "ingest")
    assert await failure(other.list()) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
