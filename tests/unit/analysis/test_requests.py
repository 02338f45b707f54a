"""What callers ask for, and what is wrong with it, all at once."""

from uuid import UUID, uuid4

import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from services.analysis.domain.findings import Kind
from services.analysis.domain.listing import AnalysisFilter
from services.analysis.domain.media import MediaState, PreviewSize
from services.analysis.translation import requests
from services.chassis.errors import FieldInvalid
from services.chassis.languages import LanguageUnknown

ANN, BOB = "a" * 32, "b" * 32
MEDIA = UUID("d84e7d0c-2c6b-4c5c-9a4e-6a0f3a2f6f10")


def refused(error: "pytest.ExceptionInfo[FieldInvalid]") -> list[str]:
    return [violation.field for violation in error.value.violations]


@pytest.mark.parametrize("name", [f"media/{MEDIA}/analysis", f"media/{str(MEDIA).upper()}/analysis"])
def test_an_analysis_is_named_after_its_media_in_any_case(name: str) -> None:
    request = analysis_service_pb2.GetAnalysisRequest(name=name, language_code="fr-CA")
    assert requests.analysis_request(request) == (MEDIA, "fr")


@pytest.mark.parametrize("name", ["", "media/", f"media/{MEDIA}", f"uploads/{MEDIA}/analysis", f"media/{MEDIA}/x"])
def test_a_name_that_is_no_analysis_is_refused(name: str) -> None:
    with pytest.raises(FieldInvalid) as error:
        requests.analysis_request(analysis_service_pb2.GetAnalysisRequest(name=name))
    assert refused(error) == ["name"]


def test_a_language_that_is_not_offered_is_refused_with_those_that_are() -> None:
    with pytest.raises(LanguageUnknown) as error:
        requests.analysis_request(
            analysis_service_pb2.GetAnalysisRequest(name=f"media/{MEDIA}/analysis", language_code="de")
        )
    assert error.value.metadata == {"language_code": "de", "language_codes": "en, fr"}


def test_a_list_is_narrowed_as_asked_for() -> None:
    message = analysis_pb2.AnalysisFilter(
        kinds=[analysis_pb2.MEDIA_KIND_RECEIPT], states=[analysis_pb2.ANALYSIS_STATE_DONE], tag="cat"
    )
    message.capture_start_time.FromJsonString("2026-06-01T00:00:00Z")
    request = analysis_service_pb2.ListAnalysesRequest(filter=message, order_by=" capture_time  desc ")
    found = requests.list_request(request, ANN)
    assert (found.newest_first, found.page.size, found.language) == (True, requests.DEFAULT_PAGE, "en")
    assert found.wanted == AnalysisFilter(
        frozenset({Kind.RECEIPT}), frozenset({MediaState.DONE}), "cat", found.wanted.start
    )
    assert str(found.wanted.start) == "2026-06-01 00:00:00+00:00"


def test_every_kind_and_state_of_the_contract_can_be_asked_for() -> None:
    kinds = [number for number in analysis_pb2.MediaKind.values() if number]
    states = [number for number in analysis_pb2.AnalysisState.values() if number]
    message = analysis_pb2.AnalysisFilter(kinds=kinds, states=states)
    found = requests.list_request(analysis_service_pb2.ListAnalysesRequest(filter=message), ANN).wanted
    assert (found.kinds, found.states) == (frozenset(Kind), frozenset(MediaState))


def test_all_that_is_wrong_with_a_list_is_said_at_once() -> None:
    message = analysis_pb2.AnalysisFilter(kinds=[0, 99], states=[7], tag="x" * 101)  # type: ignore[list-item]
    message.capture_start_time.FromJsonString("2026-06-01T00:00:00Z")
    message.capture_end_time.FromJsonString("2026-06-01T00:00:00Z")
    request = analysis_service_pb2.ListAnalysesRequest(
        filter=message, order_by="size", page_size=-1, page_token="nonsense"
    )
    with pytest.raises(FieldInvalid) as error:
        requests.list_request(request, ANN)
    assert set(refused(error)) == {
        "order_by",
        "filter.kinds[0]",
        "filter.kinds[1]",
        "filter.states[0]",
        "filter.tag",
        "filter.capture_end_time",
        "page_size",
        "page_token",
    }


@pytest.mark.parametrize("other", [{"filter": {"tag": "cat"}}, {"order_by": "capture_time desc"}], ids=str)
def test_a_page_token_goes_on_with_its_own_list_alone(other: dict[str, object]) -> None:
    token = requests.list_request(analysis_service_pb2.ListAnalysesRequest(), ANN).page.next_token("0", "0", "0")
    request = analysis_service_pb2.ListAnalysesRequest(page_token=token)
    assert requests.list_request(request, ANN).page.cursor == ("0", "0", "0")
    with pytest.raises(FieldInvalid) as error:
        requests.list_request(request, BOB)
    assert refused(error) == ["page_token"]
    changed = analysis_service_pb2.ListAnalysesRequest(page_token=token, **other)  # type: ignore[arg-type]
    with pytest.raises(FieldInvalid) as error:
        requests.list_request(changed, ANN)
    assert refused(error) == ["page_token"]


def test_a_page_token_of_a_search_goes_on_with_its_own_query_alone() -> None:
    request = analysis_service_pb2.SearchMediaRequest(query="cat")
    token = requests.search_request(request, ANN).next_token("0", "0", "0")
    with pytest.raises(FieldInvalid) as error:
        requests.search_request(analysis_service_pb2.SearchMediaRequest(query="dog", page_token=token), ANN)
    assert refused(error) == ["page_token"]


def test_a_page_size_beyond_the_longest_is_the_longest() -> None:
    request = analysis_service_pb2.ListAnalysesRequest(page_size=5000)
    assert requests.list_request(request, ANN).page.size == requests.LONGEST_PAGE


@pytest.mark.parametrize("query", ["", "  ", "x" * 201])
def test_a_query_out_of_bounds_is_refused(query: str) -> None:
    with pytest.raises(FieldInvalid) as error:
        requests.search_request(analysis_service_pb2.SearchMediaRequest(query=query, page_size=-1), ANN)
    assert refused(error) == ["query", "page_size"]


@pytest.mark.parametrize(
    ("size", "wanted"), [(0, PreviewSize.SCREEN), (1, PreviewSize.THUMBNAIL), (2, PreviewSize.SCREEN)]
)
def test_a_preview_is_large_unless_said_otherwise(
    size: analysis_service_pb2.PreviewSize.ValueType, wanted: PreviewSize
) -> None:
    request = analysis_service_pb2.ReadPreviewRequest(media=f"media/{MEDIA}", size=size, offset=3)
    assert requests.preview_request(request) == requests.PreviewRequest(MEDIA, wanted, 3)


def test_all_that_is_wrong_with_a_preview_is_said_at_once() -> None:
    request = analysis_service_pb2.ReadPreviewRequest(media="media/", size=3, offset=-1)  # type: ignore[arg-type]
    with pytest.raises(FieldInvalid) as error:
        requests.preview_request(request)
    assert refused(error) == ["media", "size", "offset"]


@pytest.mark.parametrize(
    ("media", "field"), [([], "media"), ([f"media/{MEDIA}", "media/4F"], "media[1]"), (["media/1"] * 1001, "media")]
)
def test_a_batch_of_previews_names_media_of_which_there_are_not_too_many(media: list[str], field: str) -> None:
    with pytest.raises(FieldInvalid) as error:
        requests.previews_request(analysis_service_pb2.BatchReadPreviewsRequest(media=media))
    assert refused(error) == [field]


def test_a_feed_may_name_a_device_and_an_acknowledgement_must() -> None:
    device = f"devices/{uuid4()}"
    watch = analysis_service_pb2.WatchAnalysesRequest(device=device.upper().replace("DEVICES", "devices"))
    assert requests.watch_request(watch, ANN) == (device, "en")
    assert requests.watch_request(analysis_service_pb2.WatchAnalysesRequest(), ANN) == ("", "en")
    with pytest.raises(FieldInvalid) as error:
        requests.acknowledgement(analysis_service_pb2.AcknowledgeAnalysisChangesRequest(), ANN)
    assert refused(error) == ["device"]
