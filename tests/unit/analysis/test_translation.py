from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.ingest.v1 import media_pb2
from services.analysis import translation
from services.analysis.domain import MediaState, ParkedReason, PreviewSize, Purpose, due_purposes, retry_delay
from services.analysis.errors import ViewNotAllowed
from services.analysis.findings import (
    Analysis,
    Embedding,
    FoundFace,
    Kind,
    Meaning,
    Metadata,
    Parked,
    Place,
    Position,
    Rating,
    Seen,
    Sensitivity,
    Tag,
    Templates,
    TextLine,
    Writing,
)
from services.analysis.matching import Match
from services.analysis.records import (
    dump_place,
    dump_seen,
    dump_templates,
    load_place,
    load_seen,
    load_templates,
)
from services.chassis.errors import FieldInvalid
from services.chassis.principal import Person, Service
from tests.contract.analysis.store_suite import MODELS

TAKEN = datetime(2026, 6, 1, 12, 30, 1, 250000, tzinfo=UTC)
FACE = FoundFace((0.1, 0.2, 0.3, 0.4), 0.9, tuple((0.1 * n, 0.2) for n in range(5)))
SEEN = Seen(
    metadata=Metadata(4000, 3000, 6, TAKEN, timedelta(hours=-3, minutes=-30), favorite=True, screenshot=False),
    kind=Kind.RECEIPT,
    kind_score=0.75,
    tags=(Tag("cat", 0.5), Tag("sea life", 0.25)),
    faces=(FACE, replace(FACE, score=0.6)),
    sharpness=0.5,
    exposure=0.25,
    perceptual_hash=0x8000_0000_0000_0001,
    embedding=np.arange(1280, dtype=np.float32),
    rating=Rating(Sensitivity.REVIEW, 0.625),
    writing=Writing(0.25, (TextLine("TOTAL 12,30 \u20ac", 0.875, (0.1, 0.2, 0.5, 0.03)),)),
    meaning=Meaning(np.linspace(-1, 1, 384, dtype=np.float16).astype(np.float32), "text_encoder-1"),
)
OLD_RECORD = (
    b'{"metadata":{"size":[4,3],"orientation":1,"time":null,"offset":null,"favorite":false,"screenshot":false},'
    b'"kind":["photo",0.9],"tags":[],"faces":[],"quality":[0.5,0.25],"hash":"0000000000000001","vectors":[2]}'
)
TEMPLATES = Templates({1: np.arange(128, dtype=np.float32)})
LYON = Place(Position(45.75, 4.85))
UUID_ALONE = "d84e7d0c-2c6b-4c5c-9a4e-6a0f3a2f6f10"


def analysis(media: UUID | None = None, seen: Seen | None = SEEN) -> Analysis:
    return Analysis(
        media=media or uuid4(),
        state=MediaState.DONE,
        models=("eyes-1",),
        analyze_time=TAKEN,
        delete_time=TAKEN,
        seen=seen,
        place=LYON,
        templates=TEMPLATES,
    )


def same(one: Seen, other: Seen | Parked) -> bool:
    if not isinstance(other, Seen):
        return False
    plain = replace(one, embedding=np.zeros(0, np.float32)), replace(other, embedding=np.zeros(0, np.float32))
    vectors = zip(_vectors(one), _vectors(other), strict=True)
    return (
        repr(plain[0]) == repr(plain[1])
        and one.writing.lines == other.writing.lines
        and all(np.array_equal(*pair) for pair in vectors)
    )


def _vectors(seen: Seen) -> list[Embedding]:
    return [seen.embedding, *([] if seen.meaning is None else [seen.meaning.vector])]


@pytest.mark.parametrize(
    "seen",
    [
        SEEN,
        replace(SEEN, faces=(), tags=()),
        replace(SEEN, metadata=replace(SEEN.metadata, capture_time=None, utc_offset=None)),
        replace(SEEN, rating=None, writing=Writing(), meaning=None),
    ],
)
def test_what_was_seen_survives_its_record(seen: Seen) -> None:
    assert same(seen, load_seen(dump_seen(seen)))


def test_records_of_before_ratings_writing_and_meaning_are_still_read() -> None:
    seen = load_seen(len(OLD_RECORD).to_bytes(4, "big") + OLD_RECORD + np.asarray([1, 2], "<f4").tobytes())
    assert isinstance(seen, Seen)
    assert (seen.rating, seen.writing, seen.meaning, seen.embedding.tolist()) == (None, Writing(), None, [1, 2])


def test_why_nothing_was_seen_survives_its_record() -> None:
    parked = Parked(ParkedReason.CORRUPT, "it was cut short")
    assert load_seen(dump_seen(parked)) == parked


@pytest.mark.parametrize("place", [LYON, Place(None), Place(Position(-33.856784123, -151.215297456))])
def test_a_place_survives_its_record_which_does_not_say_by_its_length_whether_there_is_one(place: Place) -> None:
    assert load_place(dump_place(place)) == place
    assert len(dump_place(place)) == len(dump_place(Place(None)))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_templates_survive_their_record(count: int) -> None:
    templates = Templates({2 * n: np.full(128, n, np.float32) for n in range(count)})
    loaded = load_templates(dump_templates(templates)).by_face
    assert list(loaded) == list(templates.by_face)
    assert all(np.array_equal(loaded[index], templates.by_face[index]) for index in loaded)


def test_an_analysis_is_rendered_in_full_for_services() -> None:
    message = translation.analysis(analysis(), full=True)
    found = message.findings
    assert (message.state, found.kind) == (analysis_pb2.ANALYSIS_STATE_DONE, analysis_pb2.MEDIA_KIND_RECEIPT)
    assert found.capture_time.ToDatetime(UTC) == TAKEN
    assert found.capture_utc_offset.ToTimedelta() == timedelta(hours=-3, minutes=-30)
    assert found.perceptual_hash.hex() == "8000000000000001"
    assert (found.position.latitude, found.position.longitude) == (45.75, 4.85)
    assert np.array_equal(np.frombuffer(found.scene_embedding, "<f4"), SEEN.embedding)
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
    found = translation.analysis(analysis(seen=replace(SEEN, rating=None)), full=False).findings
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
    bare = replace(SEEN, metadata=replace(SEEN.metadata, capture_time=None, utc_offset=None))
    found = translation.analysis(replace(analysis(seen=bare), place=Place(None)), full=False).findings
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
    many_faces = replace(SEEN, faces=(FACE,) * 60)
    found = pages([analysis(seen=many_faces) for _ in range(600)], 1000)
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


def test_more_is_due_until_every_purpose_has_findings_of_the_present_models() -> None:
    own, extras = Purpose.OLDER_MEDIA, {Purpose.LOCATION, Purpose.FACE_GROUPING}
    assert due_purposes(own, {}, MODELS) == {own, *extras}
    assert due_purposes(own, {own: "eyes-1", Purpose.LOCATION: "exif-0"}, MODELS) == extras
    made = {own: "eyes-1", Purpose.LOCATION: "exif-1", Purpose.FACE_GROUPING: "face-1"}
    assert due_purposes(own, made, MODELS) == set()


def test_delays_double_and_end_at_half_a_minute() -> None:
    assert [retry_delay(attempts).total_seconds() for attempts in (0, 1, 2, 3, 7, 1000)] == [0.5, 0.5, 1, 2, 30, 30]
