import pytest

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.chassis.changes.feed import Checkpoint, Reset
from services.chassis.errors import FieldInvalid
from services.chassis.languages import LanguageUnknown
from services.suggestion import translation
from services.suggestion.domain.suggestions import Kind, Signal, State
from services.suggestion.operations.list_suggestions import Order
from services.suggestion.operations.watch import ToldDeletion
from tests.unit.suggestion.harness import ALICE

ID = "8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d"


def listing(**fields: object) -> suggestion_service_pb2.ListSuggestionsRequest:
    return suggestion_service_pb2.ListSuggestionsRequest(**fields)  # type: ignore[arg-type]


def test_an_empty_list_request_asks_for_the_best_in_english() -> None:
    query = translation.list_query(listing(), ALICE)
    assert (query.order, query.page.size, query.language) == (Order.BEST, 100, "en")


def test_page_sizes_are_coerced() -> None:
    assert translation.list_query(listing(page_size=5000), ALICE).page.size == 1000


def test_a_filter_is_read_in_any_case_of_its_names() -> None:
    message = suggestion_pb2.SuggestionFilter(
        kinds=[suggestion_pb2.SUGGESTION_KIND_THEME],
        states=[suggestion_pb2.SUGGESTION_STATE_DISMISSED],
        media=f"media/{ID.upper()}",
    )
    wanted = translation.list_query(listing(filter=message), ALICE).wanted
    assert (set(wanted.kinds), set(wanted.states)) == ({Kind.THEME}, {State.DISMISSED})
    assert wanted.media == f"media/{ID}"


def test_every_wrong_field_of_a_list_is_named_at_once() -> None:
    message = suggestion_pb2.SuggestionFilter(kinds=[suggestion_pb2.SUGGESTION_KIND_UNSPECIFIED], media="photo")
    with pytest.raises(FieldInvalid) as caught:
        translation.list_query(listing(page_size=-1, page_token="?", filter=message, order_by="kind"), ALICE)
    assert {each.field for each in caught.value.violations} == {
        "page_size", "page_token", "filter.kinds", "filter.media", "order_by",
    }  # fmt: skip


def test_a_page_token_belongs_to_its_list() -> None:
    token = translation.list_query(listing(), ALICE).page.next_token("-0.5", ID)
    assert translation.list_query(listing(page_token=token), ALICE).page.cursor == ("-0.5", ID)
    with pytest.raises(FieldInvalid):
        translation.list_query(listing(page_token=token, order_by="create_time desc"), ALICE)


@pytest.mark.parametrize(("code", "language"), [("", "en"), ("en-US", "en"), ("fr-CA", "fr")])
def test_the_nearest_language_answers(code: str, language: str) -> None:
    request = suggestion_service_pb2.GetSuggestionRequest(name=f"suggestions/{ID}", language_code=code)
    assert translation.get_query(request)[1] == language


def test_an_unknown_language_is_refused_with_those_that_exist() -> None:
    request = suggestion_service_pb2.GetSuggestionRequest(name=f"suggestions/{ID}", language_code="xx")
    with pytest.raises(LanguageUnknown) as caught:
        translation.get_query(request)
    assert caught.value.metadata == {"language_code": "xx", "language_codes": "en, fr"}


def test_every_wrong_field_of_a_decision_is_named_at_once() -> None:
    wrong = suggestion_service_pb2.RestoreSuggestionRequest(request_id="1", name="2", language_code="xx")
    with pytest.raises(FieldInvalid) as caught:
        translation.decision_query(wrong)
    assert [each.field for each in caught.value.violations] == ["language_code", "name", "request_id"]


def test_the_names_of_the_contract_are_those_of_the_domain() -> None:
    assert {f"SUGGESTION_KIND_{each}" for each in Kind} == set(suggestion_pb2.SuggestionKind.keys()[1:])
    assert {f"SUGGESTION_STATE_{each}" for each in State} == set(suggestion_pb2.SuggestionState.keys()[1:])
    assert {f"EVIDENCE_SIGNAL_{each}" for each in Signal} == set(suggestion_pb2.EvidenceSignal.keys()[1:])


def test_what_the_feed_tells_becomes_messages() -> None:
    assert translation.told(ToldDeletion("c", "suggestions/1"), "en").deleted == "suggestions/1"
    assert translation.told(Checkpoint("c", True), "en").checkpoint.snapshot
    assert translation.told(Reset(), "en").WhichOneof("change") == "reset"
