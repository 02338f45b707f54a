"""Record of an idea: the bytes that a suggestion seals, JSON with the fields of `Idea`."""

from __future__ import annotations

import json
from datetime import datetime

from services.suggestion.domain.suggestions import Evidence, Idea, Kind, Signal


def pack(idea: Idea) -> bytes:
    """Return an idea as bytes."""
    record = {
        "kind": idea.kind.value,
        "anchor": idea.anchor,
        "media": idea.media,
        "score": idea.score,
        "theme": idea.theme,
        "start": idea.start.isoformat() if idea.start else None,
        "end": idea.end.isoformat() if idea.end else None,
        "evidence": [[row.signal.value, row.value, row.media_count, row.score] for row in idea.evidence],
    }
    return json.dumps(record, ensure_ascii=False).encode()


def unpack(content: bytes) -> Idea:
    """Return the idea that `pack` wrote."""
    record = json.loads(content)
    return Idea(
        kind=Kind(record["kind"]),
        anchor=record["anchor"],
        media=tuple(record["media"]),
        score=record["score"],
        theme=record["theme"],
        start=_time(record["start"]),
        end=_time(record["end"]),
        evidence=tuple(Evidence(Signal(signal), *rest) for signal, *rest in record["evidence"]),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
