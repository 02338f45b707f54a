"""Listing of a person's ideas as rows that scripts read, and the pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.cli.client import LONG_CALL_SECONDS, PAGE_SIZE, Services, pages
from services.cli.outages import through

_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}


async def suggestions(services: Services, language: str) -> list[suggestion_pb2.Suggestion]:
    """Return every idea, best first, with titles in the language."""
    request = suggestion_service_pb2.ListSuggestionsRequest(page_size=PAGE_SIZE, language_code=language)
    listed = pages(services, services.suggestion.ListSuggestions, request)
    return [row async for page in listed for row in page.suggestions]


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
            {
                "signal": _signal(each),
                "value": each.value,
                "label": each.label,
                "media_count": each.media_count,
                "score": each.score,
            }
            for each in suggestion.evidence
        ],
        "media": [files.get(name, name) for name in suggestion.media],
        "state": suggestion_pb2.SuggestionState.Name(suggestion.state).removeprefix("SUGGESTION_STATE_"),
        "renditions": renditions,
    }


def _signal(evidence: suggestion_pb2.Evidence) -> str:
    return suggestion_pb2.EvidenceSignal.Name(evidence.signal).removeprefix("EVIDENCE_SIGNAL_").lower()


def _file_name(
    suggestion: suggestion_pb2.Suggestion, rendition: suggestion_pb2.Rendition, order: int, number: int
) -> str:
    kind = suggestion_pb2.SuggestionKind.Name(suggestion.kind).removeprefix("SUGGESTION_KIND_").lower()
    words = [f"{order:02d}", kind, suggestion.theme, rendition.layout, str(number) if number > 1 else ""]
    return "-".join(word for word in words if word) + _SUFFIX.get(rendition.content_type, ".bin")


async def _download(services: Services, name: str, target: Path) -> None:
    partial = target.with_name(target.name + ".part")
    with partial.open("wb") as file:
        await through(services, lambda: _go_on(services, name, file))
    partial.replace(target)


async def _go_on(services: Services, name: str, file: BinaryIO) -> None:
    """Read a rendition from where the file ends; a stream that breaks is gone on with."""
    request = suggestion_service_pb2.ReadRenditionRequest(name=name, offset=file.tell())
    async for reply in services.suggestion.ReadRendition(request, metadata=services.headers, timeout=LONG_CALL_SECONDS):
        file.write(reply.chunk)
