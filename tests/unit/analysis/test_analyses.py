"""Analyses as messages, and the pages of lists."""

from dataclasses import replace
from datetime import UTC, timedelta
from uuid import uuid4

import numpy as np
import pytest

from inference.vision.tags import tag_groups
from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.internal.analysis.v1 import library_service_pb2
from services.analysis.domain.findings import Analysis, Place, Sensitivity
from services.analysis.domain.listing import place_of
from services.analysis.domain.search_ranking import Match
from services.analysis.domain.tag_labels import LANGUAGES, tag_label
from services.analysis.translation import analyses, requests
from tests.unit.analysis.examples import SCENE, TAKEN, analysis

ANN = "a" * 32


def test_an_analysis_is_rendered_for_its_owner() -> None:
    known = analysis()
    message = analyses.analysis(known, "en")
    found = message.findings
    assert (message.name, message.media) == (f"media/{known.media}/analysis", f"media/{known.media}")
    assert (message.state, found.kind) == (analysis_pb2.ANALYSIS_STATE_DONE, analysis_pb2.MEDIA_KIND_RECEIPT)
    assert found.capture_time.ToDatetime(UTC) == TAKEN
    assert found.capture_utc_offset.ToTimedelta() == timedelta(hours=-3, minutes=-30)
    assert found.perceptual_hash.hex() == "8000000000000001"
    assert (found.position.latitude, found.position.longitude) == (45.75, 4.85)
    assert (found.favorite, found.hidden) == (True, False)


def test_what_was_read_and_how_intimate_it_is_is_rendered() -> None:
    found = analyses.analysis(analysis(), "en").findings
    (line,) = found.text_lines
    assert (line.text, line.score) == ("TOTAL 12,30 \u20ac", 0.875)
    assert line.box.height == pytest.approx(0.03)
    assert (found.text_area, found.sensitivity, found.sensitivity_score) == (
        0.25,
        analysis_pb2.SENSITIVITY_REVIEW,
        0.625,
    )


def test_what_was_not_looked_for_is_not_called_safe() -> None:
    found = analyses.analysis(analysis(scene=replace(SCENE, rating=None)), "en").findings
    assert found.sensitivity == analysis_pb2.SENSITIVITY_UNSPECIFIED


def test_every_level_of_sensitivity_has_a_name_in_the_contract() -> None:
    names = {name.removeprefix("SENSITIVITY_") for name in map(str, analysis_pb2.Sensitivity.keys())}
    assert names - {"UNSPECIFIED"} == set(Sensitivity)


def test_what_is_not_known_is_absent() -> None:
    bare = replace(SCENE, metadata=replace(SCENE.metadata, capture_time=None, utc_offset=None))
    found = analyses.analysis(replace(analysis(scene=bare), place=Place(None)), "en").findings
    assert not found.HasField("capture_time")
    assert not found.HasField("capture_utc_offset")
    assert not found.HasField("position")


@pytest.mark.parametrize(("language", "labels"), [("en", ["cat", "sea life"]), ("fr", ["chat", "vie marine"])])
def test_tags_bear_labels_in_a_language_and_names_in_none(language: str, labels: list[str]) -> None:
    found = analyses.analysis(analysis(), language).findings
    assert ([tag.name for tag in found.tags], [tag.label for tag in found.tags]) == (["cat", "sea life"], labels)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_tag_has_a_label_of_its_own_in_every_language(language: str) -> None:
    same = {name for name in tag_groups() if tag_label(name, language) == name}
    assert same <= {"animal", "camping", "dessert", "document", "fruit", "insecte", "monument", "reptile", "train"}
    assert len({tag_label(name, language) for name in tag_groups()}) == len(tag_groups())


def test_services_get_vectors_as_well() -> None:
    page = requests.library_page(library_service_pb2.ListLibraryRequest(), ANN)
    known = analysis()
    (entry,) = analyses.library_page(page, [known]).entries
    assert entry.analysis == analyses.analysis(known, "en")
    assert np.array_equal(np.frombuffer(entry.scene_embedding, "<f4"), SCENE.embedding)
    assert [len(template) for template in entry.face_templates] == [0, 512]
    (bare,) = analyses.library_page(page, [replace(known, templates=None)]).entries
    assert list(bare.face_templates) == []


def pages(everything: list[Analysis], size: int) -> list[list[str]]:
    found: list[list[str]] = []
    request = analysis_service_pb2.ListAnalysesRequest(page_size=size)
    while True:
        response = analyses.analyses_page(requests.list_request(request, ANN), everything)
        found.append([each.media for each in response.analyses])
        request.page_token = response.next_page_token
        if not request.page_token:
            return found


def in_order(count: int) -> list[Analysis]:
    return sorted((analysis() for _ in range(count)), key=place_of)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pages_cover_everything_once(size: int) -> None:
    everything = in_order(7)
    found = pages(everything, size)
    assert [name for page in found for name in page] == [f"media/{each.media}" for each in everything]
    assert max(len(page) for page in found) <= size


def test_a_page_goes_on_when_the_last_one_shown_is_gone() -> None:
    everything = in_order(4)
    request = analysis_service_pb2.ListAnalysesRequest(page_size=2)
    request.page_token = analyses.analyses_page(requests.list_request(request, ANN), everything).next_page_token
    rest = analyses.analyses_page(requests.list_request(request, ANN), [everything[0], *everything[2:]])
    assert [each.media for each in rest.analyses] == [f"media/{each.media}" for each in everything[2:]]


def test_a_page_never_outgrows_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyses, "PAGE_BYTES", 3 * analyses.analysis(analysis(), "en").ByteSize())
    found = pages(in_order(7), 1000)
    assert [len(page) for page in found] == [3, 3, 1]


def test_nothing_makes_an_empty_page() -> None:
    assert pages([], 10) == [[]]


def test_pages_of_matches_cover_everything_once_in_their_order() -> None:
    matches = [Match(uuid4(), 1 - n / 10, ("a line",), n) for n in range(7)]
    names = []
    request = analysis_service_pb2.SearchMediaRequest(query="dog", page_size=3)
    while True:
        response = analyses.matches_page(requests.search_request(request, ANN), matches)
        names += [match.media for match in response.matches]
        request.page_token = response.next_page_token
        if not request.page_token:
            break
    assert names == [f"media/{match.media}" for match in matches]
