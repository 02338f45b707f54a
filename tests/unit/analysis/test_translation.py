from dataclasses import replace
from datetime import UTC, timedelta
from uuid import uuid4

import numpy as np
import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.ingest.v1 import media_pb2
from services.analysis import translation
from services.analysis.domain.findings import (
    Analysis,
    Place,
    Sensitivity,
)
from services.analysis.domain.media import PreviewSize
from services.analysis.domain.search_ranking import Match
from services.analysis.errors import ViewNotAllowed
from services.chassis.errors import FieldInvalid
from services.chassis.principal import Person, Service
from tests.unit.analysis.examples import FACE, SCENE, TAKEN, analysis

UUID_ALONE = "d84e7d0c-2c6b-4c5c-9a4e-6a0f3a2f6f10"


def test_an_analysis_is_rendered_in_full_for_services() -> None:
    message = translation.analysis(analysis(), full=True)
    found = message.findings
    assert (message.state, found.kind) == (analysis_pb2.ANALYSIS_STATE_DONE, analysis_pb2.MEDIA_KIND_RECEIPT)
    assert found.capture_time.ToDatetime(UTC) == TAKEN
    assert found.capture_utc_offset.ToTimedelta() == timedelta(hours=-3, minutes=-30)
    assert found.perceptual_hash.hex() == "8000000000000001"
    assert (found.position.latitude, found.position.longitude) == (45.75, 4.85)
    assert np.array_equal(np.frombuffer(found.scene_embedding, "<f4"), SCENE.embedding)
    assert [len(face.template) for face in found.faces] == [0, 512]


def test_what_was_read_and_how_intimate_it_is_is_rendered() -> None:
    found = translation.analysis(analysis(), full=False).findings
    (line,) = found.text_lines
    assert (line.text, line.score) == ("TOTAL 12,30 \u20ac", 0.875)
    assert line.box.height == pytest.approx(0.03)
    assert (found.text_area, found.sensitivity, found.sensitivity_score) == (
        0.25,
        analysis_pb2.SENSITIVITY_REVIEW,
        0.625,
    )


def test_what_was_not_looked_for_is_not_called_safe() -> None:
    found = translation.analysis(analysis(scene=replace(SCENE, rating=None)), full=False).findings
    assert found.sensitivity == analysis_pb2.SENSITIVITY_UNSPECIFIED


def test_every_level_of_sensitivity_has_a_name_in_the_contract() -> None:
    names = {name.removeprefix("SENSITIVITY_") for name in map(str, analysis_pb2.Sensitivity.keys())}
    assert names - {"UNSPECIFIED"} == set(Sensitivity)


def search_request(**fields: object) -> analysis_service_pb2.SearchMediaRequest:
    return analysis_service_pb2.SearchMediaRequest(**{"query": "dog", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 201}, "query"),
        ({"page_size": -1}, "page_size"),
        ({"page_size": 101}, "page_size"),
    ],
)
def test_a_search_out_of_bounds_is_refused_with_its_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        translation.query(search_request(**fields))
    assert refused.value.violations[0].field == field


def test_pages_of_matches_cover_everything_once_in_their_order() -> None:
    matches = [Match(uuid4(), 1 - n / 10, ("a line",)) for n in range(7)]
    names, token = [], ""
    while True:
        response = translation.search_page(search_request(page_size=3, page_token=token), matches)
        names += [match.media for match in response.matches]
        token = response.next_page_token
        if not token:
            break
    assert names == [f"media/{match.media}" for match in matches]


def test_a_page_of_another_search_is_refused() -> None:
    with pytest.raises(FieldInvalid) as refused:
        translation.search_page(search_request(page_token=uuid4().hex), [])
    assert refused.value.violations[0].field == "page_token"


def test_persons_get_no_vectors() -> None:
    found = translation.analysis(analysis(), full=False).findings
    assert (found.scene_embedding, [face.template for face in found.faces]) == (b"", [b"", b""])


def test_what_is_not_known_is_absent() -> None:
    bare = replace(SCENE, metadata=replace(SCENE.metadata, capture_time=None, utc_offset=None))
    found = translation.analysis(replace(analysis(scene=bare), place=Place(None)), full=False).findings
    assert not found.HasField("capture_time")
    assert not found.HasField("capture_utc_offset")
    assert not found.HasField("position")


def test_the_full_view_is_for_services() -> None:
    full = analysis_pb2.ANALYSIS_VIEW_FULL
    assert translation.wants_everything(full, Service("suggestion", "a" * 32))
    assert not translation.wants_everything(analysis_pb2.ANALYSIS_VIEW_UNSPECIFIED, Person("a" * 32))
    with pytest.raises(ViewNotAllowed):
        translation.wants_everything(full, Person("a" * 32))
    with pytest.raises(FieldInvalid):
        translation.wants_everything(99, Person("a" * 32))


def pages(everything: list[Analysis], size: int) -> list[list[str]]:
    found, token = [], ""
    while True:
        request = analysis_service_pb2.ListAnalysesRequest(page_size=size, page_token=token)
        response = translation.page(request, everything, full=True)
        found.append([each.media for each in response.analyses])
        token = response.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_pages_cover_everything_once(size: int) -> None:
    everything = [analysis() for _ in range(7)]
    found = pages(everything, size)
    assert [name for page in found for name in page] == [f"media/{each.media}" for each in everything]
    assert max(len(page) for page in found) <= size


def test_a_page_never_outgrows_a_message() -> None:
    many_faces = replace(SCENE, faces=(FACE,) * 60)
    found = pages([analysis(scene=many_faces) for _ in range(600)], 1000)
    assert (len(found) > 1, sum(len(page) for page in found)) == (True, 600)


def test_nothing_makes_an_empty_page() -> None:
    assert pages([], 10) == [[]]


@pytest.mark.parametrize("size", [-1, 1001])
def test_a_page_size_out_of_bounds_is_refused(size: int) -> None:
    with pytest.raises(FieldInvalid):
        pages([], size)


@pytest.mark.parametrize(
    ("size", "wanted"), [(0, PreviewSize.PREVIEW), (1, PreviewSize.THUMBNAIL), (2, PreviewSize.PREVIEW)]
)
def test_a_preview_is_large_unless_said_otherwise(size: int, wanted: PreviewSize) -> None:
    assert translation.preview_size(size) is wanted


def test_an_unknown_preview_size_is_refused() -> None:
    with pytest.raises(FieldInvalid):
        translation.preview_size(3)


@pytest.mark.parametrize(
    "name", ["", "media/", "media/4F", f"uploads/{UUID_ALONE}", f"media/{UUID_ALONE}/x", UUID_ALONE]
)
def test_a_name_that_is_no_media_is_refused(name: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        translation.media_id(name)
    assert refused.value.violations[0].field == "media"


def test_metadata_without_a_time_has_none() -> None:
    about = translation.metadata(media_pb2.MediaMetadata(width=3, height=2, orientation=8).SerializeToString())
    assert (about.width, about.height, about.orientation, about.capture_time, about.utc_offset) == (3, 2, 8, None, None)
