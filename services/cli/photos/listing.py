"""What a person's services say of their photos and ideas, as the rows that scripts read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta, timezone
from pathlib import Path

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.ingest.v1 import media_pb2, media_service_pb2
from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.cli.client import LONG_CALL_SECONDS, PAGE_SIZE, Services, pages

SEARCH_PAGE_SIZE = 100
SUGGESTION_PAGE_SIZE = 100
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}


async def media(services: Services) -> list[media_pb2.Media]:
    """Return every media that is kept."""
    request = media_service_pb2.ListMediaRequest(page_size=PAGE_SIZE)
    return [row async for page in pages(services, services.media.ListMedia, request) for row in page.media]


async def analyses(services: Services) -> list[analysis_pb2.Analysis]:
    """Return the analysis of every media, in the order of capture."""
    request = analysis_service_pb2.ListAnalysesRequest(page_size=PAGE_SIZE)
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
        "taken_at": taken_at(kept),
        "score": round(match.score, 4),
        "lines": list(match.lines),
    }


async def suggestions(services: Services, language: str) -> list[suggestion_pb2.Suggestion]:
    """Return every idea, best first, with titles in the language."""
    request = suggestion_service_pb2.ListSuggestionsRequest(page_size=SUGGESTION_PAGE_SIZE, language_code=language)
    listed = pages(services, services.suggestion.ListSuggestions, request)
    return [row async for page in listed for row in page.suggestions]


async def findings(services: Services, allowed: frozenset[str]) -> AsyncIterator[dict[str, object]]:
    """Yield a row for each photo, in the order of capture; what was not consented to is absent."""
    kept = {row.name: row for row in await media(services)}
    for analysis in await analyses(services):
        if analysis.media in kept:
            yield finding(kept[analysis.media], analysis, allowed)


def finding(kept: media_pb2.Media, analysis: analysis_pb2.Analysis, allowed: frozenset[str]) -> dict[str, object]:
    """Return the row of one photo."""
    row: dict[str, object] = {
        "file": kept.file_name,
        "sha256": kept.sha256.hex(),
        "taken_at": taken_at(kept),
        "state": analysis_pb2.AnalysisState.Name(analysis.state).removeprefix("ANALYSIS_STATE_").lower(),
        "orientation": kept.orientation,
    }
    if analysis.state == analysis_pb2.ANALYSIS_STATE_PARKED:
        reason = analysis_pb2.ParkedReason.Name(analysis.parked_reason).removeprefix("PARKED_REASON_")
        return row | {"parked_reason": reason, "parked_detail": analysis.parked_detail}
    if analysis.HasField("findings"):
        row |= _understood(kept, analysis.findings, allowed)
    return row


def taken_at(kept: media_pb2.Media) -> str:
    """Return the time of capture in RFC 3339, on the clock of the place where that is known."""
    zone = timezone(timedelta(seconds=kept.capture_utc_offset.seconds)) if kept.HasField("capture_utc_offset") else UTC
    return kept.capture_time.ToDatetime(UTC).astimezone(zone).isoformat()


async def save_renditions(
    services: Services, suggestion: suggestion_pb2.Suggestion, order: int, folder: Path
) -> list[str]:
    """Write every rendition of an idea into the folder; return the files' names."""
    names = []
    for number, rendition in enumerate(suggestion.renditions, 1):
        name = _file_name(suggestion, rendition, order, number)
        await _download(services, rendition.name, folder / name)
        names.append(name)
    return names


def idea(suggestion: suggestion_pb2.Suggestion, files: dict[str, str], saved: list[str]) -> dict[str, object]:
    """Return the row of one idea; `files` maps media to file names, `saved` are the files written, if any."""
    renditions = [
        {"name": each.name, "layout": each.layout, "content_type": each.content_type, "width": each.width,
         "height": each.height, "size_bytes": each.size_bytes}
        for each in suggestion.renditions
    ]  # fmt: skip
    for row, name in zip(renditions, saved, strict=False):
        row["file"] = name
    return {
        "name": suggestion.name,
        "kind": suggestion_pb2.SuggestionKind.Name(suggestion.kind).removeprefix("SUGGESTION_KIND_"),
        "theme": suggestion.theme,
        "title": suggestion.title,
        "reason": suggestion.reason,
        "evidence": [
            {"signal": each.signal, "value": each.value, "media_count": each.media_count, "score": each.score}
            for each in suggestion.evidence
        ],
        "media": [files.get(name, name) for name in suggestion.media],
        "state": suggestion_pb2.SuggestionState.Name(suggestion.state).removeprefix("SUGGESTION_STATE_"),
        "renditions": renditions,
    }


def _understood(kept: media_pb2.Media, found: analysis_pb2.Findings, allowed: frozenset[str]) -> dict[str, object]:
    row: dict[str, object] = {
        "width": kept.width,
        "height": kept.height,
        "kind": analysis_pb2.MediaKind.Name(found.kind).removeprefix("MEDIA_KIND_").lower(),
        "tags": [[tag.name, round(tag.score, 4)] for tag in found.tags],
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


def _file_name(
    suggestion: suggestion_pb2.Suggestion, rendition: suggestion_pb2.Rendition, order: int, number: int
) -> str:
    kind = suggestion_pb2.SuggestionKind.Name(suggestion.kind).removeprefix("SUGGESTION_KIND_").lower()
    words = [f"{order:02d}", kind, suggestion.theme, rendition.layout, str(number) if number > 1 else ""]
    return "-".join(word for word in words if word) + _SUFFIX.get(rendition.content_type, ".bin")


async def _download(services: Services, name: str, target: Path) -> None:
    request = suggestion_service_pb2.ReadRenditionRequest(name=name)
    partial = target.with_name(target.name + ".part")
    with partial.open("wb") as file:
        async for reply in services.suggestion.ReadRendition(
            request, metadata=services.headers, timeout=LONG_CALL_SECONDS
        ):
            file.write(reply.chunk)
    partial.replace(target)
