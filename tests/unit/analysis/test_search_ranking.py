from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from services.analysis.domain.findings import Analysis, Kind, Meaning, SceneFindings, Tag, TextLine, Writing
from services.analysis.domain.media import MediaState
from services.analysis.domain.search_ranking import MIN_COSINE, Query, best_matches, plain_words
from tests.unit.analysis.examples import SCENE

BOX = (0.1, 0.1, 0.5, 0.05)
EAST, NORTH = np.asarray([1.0, 0.0], np.float32), np.asarray([0.0, 1.0], np.float32)
BARE = replace(SCENE, kind=Kind.PHOTO, kind_score=1.0, tags=(), writing=Writing(), meaning=None)


def picture(scene: SceneFindings = BARE, *, media: UUID | None = None, state: MediaState = MediaState.DONE) -> Analysis:
    return Analysis(media=media or uuid4(), state=state, scene=scene)


def saying(*lines: str, score: float = 1.0) -> SceneFindings:
    return replace(BARE, writing=Writing(0.3, tuple(TextLine(line, score, BOX) for line in lines)))


def showing(angle: float, space: str = "words-1") -> SceneFindings:
    vector = np.cos(angle) * EAST + np.sin(angle) * NORTH
    return replace(BARE, meaning=Meaning(vector.astype(np.float32), space))


def query(text: str = "xyzzy", vector: "np.typing.NDArray[np.float32]" = EAST) -> Query:
    return Query(plain_words(text), Meaning(vector, "words-1"))


def found(text: str, *scenes: SceneFindings) -> list[int]:
    everything = [picture(each) for each in scenes]
    order = [each.media for each in everything]
    return [order.index(match.media) for match in best_matches(query(text), everything)]


def test_what_is_shown_is_found_nearest_first_and_what_has_nothing_to_do_with_it_is_not() -> None:
    assert found("xyzzy", showing(1.0), showing(0.2), showing(0.0), showing(1.5)) == [2, 1, 0]
    assert np.cos(1.5) < MIN_COSINE < np.cos(1.0)


def test_vectors_of_another_space_are_not_compared() -> None:
    assert found("xyzzy", showing(0.0, "words-0"), showing(0.1)) == [1]


def test_what_is_written_is_found_whatever_its_case_and_accents() -> None:
    assert found("cafe CREME", saying("1 Café crème  4,20"), saying("1 Thé 3,10")) == [0]


def test_the_lines_that_hold_the_words_are_named() -> None:
    (match,) = best_matches(query("total"), [picture(saying("Shop", "TOTAL 12,30", "Thanks"))])
    assert match.lines == ("TOTAL 12,30",)


def test_words_may_stand_in_different_lines_and_run_into_each_other() -> None:
    assert found("hotel invoice", saying("HotelRoma", "InvoiceNo.17")) == [0]


def test_half_of_the_words_is_enough_and_less_is_not() -> None:
    assert found("red apple", saying("apple"), saying("tree")) == [0]
    assert found("big red ripe apple", saying("apple")) == []


def test_short_words_are_found_only_as_words() -> None:
    assert found("tea", saying("steak"), saying("green tea")) == [1]


def test_what_was_read_badly_counts_less() -> None:
    assert found("total", saying("TOTAL", score=0.6), saying("TOTAL", score=0.9)) == [1, 0]


@pytest.mark.parametrize("text", ["receipts", "a receipt", "Receipt photos"])
def test_kinds_are_found_by_their_names(text: str) -> None:
    assert found(text, replace(BARE, kind=Kind.RECEIPT, kind_score=0.9), BARE) == [0]


def test_the_kind_counts_as_a_word_beside_those_that_are_written() -> None:
    receipt = replace(saying("TOTAL 12,30"), kind=Kind.RECEIPT)
    assert found("receipts total cash", saying("TOTAL 12,30"), receipt) == [1]
    assert found("receipt cash", receipt) == []


def test_who_names_a_kind_means_no_tag_of_the_same_name() -> None:
    tagged = replace(BARE, kind=Kind.RECEIPT, tags=(Tag("document", 0.99),))
    assert found("documents", tagged, replace(BARE, kind=Kind.DOCUMENT, kind_score=0.6)) == [1]


def test_tags_are_found_by_their_names() -> None:
    assert found("dogs", replace(BARE, tags=(Tag("dog", 0.7),)), replace(BARE, tags=(Tag("cat", 0.9),))) == [0]
    assert found("sea life", replace(BARE, tags=(Tag("sea life", 0.5),))) == [0]


def test_of_equal_ones_the_newer_comes_first() -> None:
    taken = BARE.metadata.capture_time
    assert taken is not None
    older = replace(saying("total"), metadata=replace(BARE.metadata, capture_time=taken - timedelta(days=1)))
    unknown = replace(saying("total"), metadata=replace(BARE.metadata, capture_time=None))
    assert found("total", older, unknown, saying("total")) == [2, 0, 1]


def test_what_was_not_analysed_is_not_found() -> None:
    waiting = Analysis(media=uuid4(), state=MediaState.PENDING)
    assert best_matches(query("total"), [waiting]) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a photo of the Dog", ("dog",)),
        ("dog dog DOG", ("dog",)),
        ("Été à l\u2019Île", ("ete", "l", "ile")),
        ("of the", ("of", "the")),
        ("\U0001f415 ?!", ()),
        ("2024-05", ("2024", "05")),
    ],
)
def test_a_query_is_its_words_that_say_something(text: str, words: tuple[str, ...]) -> None:
    assert plain_words(text) == words
