"""Listing of photos: what a person's services say of them, as rows that scripts read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta, timezone

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.client import PAGE_SIZE, Services, pages
from services.cli.output import CommandFailed

SEARCH_PAGE_SIZE = 100
_UNSPECIFIED = "UNSPECIFIED"
# These tell an instant, whose wall clock is not known.
_INSTANTS = frozenset({media_pb2.CAPTURE_TIME_SOURCE_UNSPECIFIED, media_pb2.CAPTURE_TIME_SOURCE_FILE_TIME})
_KNOWN_CHARACTERS = {
    media_pb2.CAPTURE_TIME_PRECISION_YEAR: 4,
    media_pb2.CAPTURE_TIME_PRECISION_MONTH: 7,
    media_pb2.CAPTURE_TIME_PRECISION_DAY: 10,
}


async def media(services: Services) -> list[media_pb2.Media]:
    """Return every media that is kept, hidden ones as well."""
    everything = media_pb2.MediaFilter(include_hidden=True)
    request = media_service_pb2.ListMediaRequest(page_size=PAGE_SIZE, filter=everything)
    return [row async for page in pages(services, services.media.ListMedia, request) for row in page.media]


async def file_names(services: Services) -> dict[str, str]:
    """Return the name of the file of every media, by the media's resource name."""
    return {row.name: row.file_name for row in await media(services)}


async def named(services: Services, file: str) -> list[str]:
    """Return the resource names of the media that have a file's name: two folders may hold the same one.

    Raises:
        CommandFailed: MEDIA_NOT_FOUND.
    """
    found = [row.name for row in await media(services) if row.file_name == file]
    if not found:
        raise CommandFailed("MEDIA_NOT_FOUND", f"no photo named {file!r} is kept; see `pellicule findings`", file)
    return found


async def analyses(services: Services, language: str = "") -> list[analysis_pb2.Analysis]:
    """Return the analysis of every media, in the order of capture, with the labels of tags in a language."""
    request = analysis_service_pb2.ListAnalysesRequest(page_size=PAGE_SIZE, language_code=language)
    return [row async for page in pages(services, services.analysis.ListAnalyses, request) for row in page.analyses]


async def matches(services: Services, query: str, limit: int) -> AsyncIterator[dict[str, object]]:
    """Yield a row for each photo that fits the words, best first, at most `limit`."""
    kept = {row.name: row for row in await media(services)}
    request = analysis_service_pb2.SearchMediaRequest(query=query, page_size=min(limit, SEARCH_PAGE_SIZE))
    async for page in pages(services, services.analysis.SearchMedia, request):
        for match in page.matches:
            if match.media in kept and limit > 0:
                yield matched(kept[match.media], match)
                limit -= 1
        if limit <= 0:
            return


def matched(kept: media_pb2.Media, match: analysis_service_pb2.MediaMatch) -> dict[str, object]:
    """Return the row of one photo that fits words."""
    return {
        "file": kept.file_name,
        "sha256": kept.sha256.hex(),
        **when(kept),
        "score": round(match.score, 4),
        "lines": list(match.lines),
    }


async def findings(services: Services, allowed: frozenset[str], language: str) -> AsyncIterator[dict[str, object]]:
    """Yield a row for each photo, in the order of capture; what was not consented to is absent."""
    kept = {row.name: row for row in await media(services)}
    for analysis in await analyses(services, language):
        if analysis.media in kept:
            yield finding(kept[analysis.media], analysis, allowed)


def finding(kept: media_pb2.Media, analysis: analysis_pb2.Analysis, allowed: frozenset[str]) -> dict[str, object]:
    """Return the row of one photo."""
    row: dict[str, object] = {
        "file": kept.file_name,
        "sha256": kept.sha256.hex(),
        **when(kept),
        "state": analysis_pb2.AnalysisState.Name(analysis.state).removeprefix("ANALYSIS_STATE_").lower(),
        "orientation": kept.orientation,
        "favorite": kept.favorite,
        "hidden": kept.hidden,
    }
    if analysis.state == analysis_pb2.ANALYSIS_STATE_PARKED:
        reason = analysis_pb2.ParkedReason.Name(analysis.parked_reason).removeprefix("PARKED_REASON_")
        return row | {"parked_reason": reason, "parked_detail": analysis.parked_detail}
    if analysis.HasField("findings"):
        row |= _understood(kept, analysis.findings, allowed)
    return row


def when(kept: media_pb2.Media) -> dict[str, str | None]:
    """Return the time of capture, what says it, and how exactly it is known; None for what is not known."""
    source = media_pb2.CaptureTimeSource.Name(kept.capture_time_source).removeprefix("CAPTURE_TIME_SOURCE_")
    precision = media_pb2.CaptureTimePrecision.Name(kept.capture_time_precision)
    precision = precision.removeprefix("CAPTURE_TIME_PRECISION_")
    return {
        "taken_at": taken_at(kept),
        "taken_at_source": None if source == _UNSPECIFIED else source.lower(),
        "taken_at_precision": None if precision == _UNSPECIFIED else precision.lower(),
    }


def taken_at(kept: media_pb2.Media) -> str | None:
    """Return the time of capture as ISO 8601 writes it, as far as it is known; None if it is not.

    On the clock of the place, with its zone; without one if the zone is not known; a date, a month or a year alone if
    no more is known.
    """
    if not kept.HasField("capture_time"):
        return None
    time = kept.capture_time.ToDatetime(UTC)
    if kept.HasField("capture_utc_offset"):
        time = time.astimezone(timezone(timedelta(seconds=kept.capture_utc_offset.seconds)))
    elif kept.capture_time_source not in _INSTANTS:
        time = time.replace(tzinfo=None)
    text = time.isoformat()
    return text[: _KNOWN_CHARACTERS.get(kept.capture_time_precision, len(text))]


def _understood(kept: media_pb2.Media, found: analysis_pb2.Findings, allowed: frozenset[str]) -> dict[str, object]:
    row: dict[str, object] = {
        "width": kept.width,
        "height": kept.height,
        "kind": analysis_pb2.MediaKind.Name(found.kind).removeprefix("MEDIA_KIND_").lower(),
        "tags": [[tag.name, round(tag.score, 4)] for tag in found.tags],
        "labels": [tag.label for tag in found.tags],
        "faces": [_face(face, kept, allowed) for face in found.faces],
        "sharpness": round(found.sharpness, 4),
        "exposure": round(found.exposure, 4),
        "perceptual_hash": found.perceptual_hash.hex(),
        "duplicate_group": found.duplicate_group or None,
        "text": [_line(line, kept) for line in found.text_lines],
    }
    if found.sensitivity != analysis_pb2.SENSITIVITY_UNSPECIFIED:
        row["sensitive"] = round(found.sensitivity_score, 4)
        row["sensitivity"] = analysis_pb2.Sensitivity.Name(found.sensitivity).removeprefix("SENSITIVITY_").lower()
    if "LOCATION" in allowed:
        position = found.position
        row["position"] = [position.latitude, position.longitude] if found.HasField("position") else None
    return row


def _face(face: analysis_pb2.Face, kept: media_pb2.Media, allowed: frozenset[str]) -> dict[str, object]:
    row: dict[str, object] = {"box": _pixels(face.box, kept), "score": round(face.score, 4)}
    return row | ({"person": None} if "FACE_GROUPING" in allowed else {})


def _line(line: analysis_pb2.TextLine, kept: media_pb2.Media) -> dict[str, object]:
    return {"text": line.text, "score": round(line.score, 4), "box": _pixels(line.box, kept)}


def _pixels(box: analysis_pb2.RelativeBox, kept: media_pb2.Media) -> list[float]:
    edges = (box.x * kept.width, box.y * kept.height, box.width * kept.width, box.height * kept.height)
    return [round(value, 1) for value in edges]
