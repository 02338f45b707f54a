"""Rows of findings: in the picture's own pixels and time, and only what was consented to."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.client import Services
from services.cli.photos import listing

KEPT = media_pb2.Media(name="media/1", sha256=bytes(32), file_name="IMG_1.jpg", width=4000, height=3000, orientation=6)
KEPT.capture_time.FromJsonString("2026-11-14T14:02:03Z")
KEPT.capture_utc_offset.FromJsonString("3600s")


def analysis(**findings: object) -> analysis_pb2.Analysis:
    return analysis_pb2.Analysis(
        media="media/1",
        state=analysis_pb2.ANALYSIS_STATE_DONE,
        findings=analysis_pb2.Findings(kind=analysis_pb2.MEDIA_KIND_PHOTO, **findings),  # type: ignore[arg-type]
    )


def face() -> analysis_pb2.Face:
    return analysis_pb2.Face(box=analysis_pb2.RelativeBox(x=0.25, y=0.5, width=0.1, height=0.2), score=0.9)


def test_boxes_are_in_pixels_of_the_upright_original() -> None:
    row = listing.finding(KEPT, analysis(faces=[face()]), frozenset())
    assert row["faces"] == [{"box": [1000.0, 1500.0, 400.0, 600.0], "score": 0.9}]


def test_the_time_is_written_on_the_clock_of_the_place() -> None:
    assert listing.finding(KEPT, analysis(), frozenset())["taken_at"] == "2026-11-14T15:02:03+01:00"


def _kept(**known: object) -> media_pb2.Media:
    kept = media_pb2.Media(name="media/1", **known)  # type: ignore[arg-type]
    kept.capture_time.FromJsonString("2026-11-14T14:02:03Z")
    return kept


@pytest.mark.parametrize(
    ("source", "precision", "expected"),
    [
        ("EXIF_ORIGINAL", "SECOND", ("2026-11-14T14:02:03", "exif_original", "second")),
        ("FILE_NAME", "DAY", ("2026-11-14", "file_name", "day")),
        ("XMP", "MONTH", ("2026-11", "xmp", "month")),
        ("IPTC", "YEAR", ("2026", "iptc", "year")),
        ("FILE_TIME", "SECOND", ("2026-11-14T14:02:03+00:00", "file_time", "second")),
        ("UNSPECIFIED", "UNSPECIFIED", ("2026-11-14T14:02:03+00:00", None, None)),
    ],
)
def test_what_is_known_of_the_time_is_said_and_no_more(
    source: str, precision: str, expected: tuple[str | None, ...]
) -> None:
    kept = _kept(
        capture_time_source=media_pb2.CaptureTimeSource.Value(f"CAPTURE_TIME_SOURCE_{source}"),
        capture_time_precision=media_pb2.CaptureTimePrecision.Value(f"CAPTURE_TIME_PRECISION_{precision}"),
    )
    row = listing.finding(kept, analysis(), frozenset())
    assert (row["taken_at"], row["taken_at_source"], row["taken_at_precision"]) == expected


def test_a_time_that_is_not_known_is_none() -> None:
    undated = media_pb2.Media(name="media/1")
    row = listing.matched(undated, analysis_service_pb2.MediaMatch(media="media/1"))
    assert (row["taken_at"], row["taken_at_source"], row["taken_at_precision"]) == (None, None, None)


def test_a_position_without_consent_is_absent_and_not_empty() -> None:
    there = analysis_pb2.Position(latitude=45.75, longitude=4.85)
    assert "position" not in listing.finding(KEPT, analysis(), frozenset({"CLOUD_PROCESSING"}))
    allowed = frozenset({"LOCATION"})
    assert listing.finding(KEPT, analysis(), allowed)["position"] is None
    assert listing.finding(KEPT, analysis(position=there), allowed)["position"] == [45.75, 4.85]


def test_persons_are_spoken_of_only_with_consent() -> None:
    without = listing.finding(KEPT, analysis(faces=[face()]), frozenset())["faces"]
    granted = listing.finding(KEPT, analysis(faces=[face()]), frozenset({"FACE_GROUPING"}))["faces"]
    assert "person" not in str(without)
    assert "'person': None" in str(granted)


def test_a_tag_has_its_label_in_the_language_asked_for_beside_it() -> None:
    row = listing.finding(KEPT, analysis(tags=[analysis_pb2.Tag(name="dog", label="chien", score=0.75)]), frozenset())
    assert (row["tags"], row["labels"]) == ([["dog", 0.75]], ["chien"])


def test_what_its_owner_marked_is_in_the_row() -> None:
    marked = media_pb2.Media(name="media/2", favorite=True, hidden=True)
    row = listing.finding(marked, analysis(), frozenset())
    assert (row["favorite"], row["hidden"]) == (True, True)


def test_what_is_written_comes_with_its_place_in_pixels() -> None:
    line = analysis_pb2.TextLine(
        text="TOTAL 12,30", score=0.97, box=analysis_pb2.RelativeBox(x=0.5, y=0.1, width=0.25, height=0.02)
    )
    row = listing.finding(KEPT, analysis(text_lines=[line]), frozenset())
    assert row["text"] == [{"text": "TOTAL 12,30", "score": 0.97, "box": [2000.0, 300.0, 1000.0, 60.0]}]
    assert listing.finding(KEPT, analysis(), frozenset())["text"] == []


def test_sensitivity_is_a_number_and_a_word_and_absent_where_nothing_looked_for_it() -> None:
    looked = analysis(sensitivity=analysis_pb2.SENSITIVITY_REVIEW, sensitivity_score=0.6)
    row = listing.finding(KEPT, looked, frozenset())
    assert (row["sensitive"], row["sensitivity"]) == (0.6, "review")
    assert "sensitive" not in listing.finding(KEPT, analysis(), frozenset())


def test_a_photo_that_fits_words_says_why() -> None:
    match = analysis_service_pb2.MediaMatch(media="media/1", score=0.75, lines=["TOTAL 12,30"])
    row = listing.matched(KEPT, match)
    assert (row["file"], row["score"], row["lines"]) == ("IMG_1.jpg", 0.75, ["TOTAL 12,30"])


def test_a_parked_photo_says_why() -> None:
    parked = analysis_pb2.Analysis(
        media="media/1",
        state=analysis_pb2.ANALYSIS_STATE_PARKED,
        parked_reason=analysis_pb2.PARKED_REASON_CORRUPT,
        parked_detail="broken data stream",
    )
    row = listing.finding(KEPT, parked, frozenset())
    assert (row["state"], row["parked_reason"], row["parked_detail"]) == ("parked", "CORRUPT", "broken data stream")


class _Lists:
    """Answers every list in pages of two, and remembers the tokens that it was asked with."""

    def __init__(self, count: int) -> None:
        self._names = [f"media/{number}" for number in range(count)]
        self.tokens: list[str] = []

    def _page(self, request: Any) -> tuple[list[str], str]:
        self.tokens.append(request.page_token)
        start = int(request.page_token or 0)
        return self._names[start : start + 2], str(start + 2) if start + 2 < len(self._names) else ""

    async def ListMedia(self, request: Any, **_: object) -> media_service_pb2.ListMediaResponse:  # noqa: N802
        assert request.filter.include_hidden
        names, token = self._page(request)
        return media_service_pb2.ListMediaResponse(
            media=[media_pb2.Media(name=n) for n in names], next_page_token=token
        )

    async def SearchMedia(self, request: Any, **_: object) -> analysis_service_pb2.SearchMediaResponse:  # noqa: N802
        assert request.query == "a dog"
        names, token = self._page(request)
        return analysis_service_pb2.SearchMediaResponse(
            matches=[analysis_service_pb2.MediaMatch(media=name) for name in names], next_page_token=token
        )


def _services(count: int) -> tuple[Services, _Lists]:
    lists = _Lists(count)
    return cast("Services", cast("Any", SimpleNamespace(media=lists, analysis=_Lists(count), headers=()))), lists


async def test_every_page_of_a_list_is_read() -> None:
    services, lists = _services(5)

    assert [row.name for row in await listing.media(services)] == [f"media/{number}" for number in range(5)]
    assert lists.tokens == ["", "2", "4"]


@pytest.mark.parametrize(("limit", "found"), [(1, 1), (3, 3), (5, 5), (1000, 5)])
async def test_a_search_reads_as_many_pages_as_it_needs(limit: int, found: int) -> None:
    services, _ = _services(5)

    assert len([row async for row in listing.matches(services, "a dog", limit)]) == found
