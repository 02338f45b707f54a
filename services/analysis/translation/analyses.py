"""Analyses, matches and previews as messages, and the pages of lists."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final, TypeVar

import numpy as np
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.internal.analysis.v1 import library_service_pb2
from services.analysis.domain.findings import (
    Analysis,
    Box,
    Embedding,
    FoundFace,
    Metadata,
    SceneFindings,
    Templates,
    TextLine,
)
from services.analysis.domain.listing import place_of
from services.analysis.domain.media import MEDIA_PREFIX, analysis_name
from services.analysis.domain.search_ranking import Match
from services.analysis.domain.tag_labels import ENGLISH, tag_label
from services.analysis.translation.requests import ListRequest
from services.chassis.paging import Page

PAGE_BYTES: Final = 3 * 1024 * 1024
"""A page ends before it outgrows a message."""

MessageT = TypeVar("MessageT", analysis_pb2.Analysis, library_service_pb2.LibraryEntry)


def analyses_page(request: ListRequest, everything: Sequence[Analysis]) -> analysis_service_pb2.ListAnalysesResponse:
    """Return the page of a list that a request asks for."""
    rows = _after(request.page, everything, newest_first=request.newest_first)
    messages = list(_fitting(rows, request.page.size, lambda each: analysis(each, request.language)))
    token = _token(request.page, rows, len(messages), newest_first=request.newest_first)
    return analysis_service_pb2.ListAnalysesResponse(analyses=messages, next_page_token=token)


def library_page(page: Page, everything: Sequence[Analysis]) -> library_service_pb2.ListLibraryResponse:
    """Return a page of a person's library, for services."""
    rows = _after(page, everything)
    messages = list(_fitting(rows, page.size, _library_entry))
    return library_service_pb2.ListLibraryResponse(entries=messages, next_page_token=_token(page, rows, len(messages)))


def matches_page(page: Page, everything: Sequence[Match]) -> analysis_service_pb2.SearchMediaResponse:
    """Return a page of what a search found."""
    start = 0
    if page.cursor is not None:
        score, time, media = page.cursor
        start = bisect_right(everything, (float(score), float(time), media), key=lambda match: match.place)
    shown = everything[start : start + page.size]
    token = page.next_token(*map(str, shown[-1].place)) if start + len(shown) < len(everything) else ""
    return analysis_service_pb2.SearchMediaResponse(matches=map(_match, shown), next_page_token=token)


def analysis(known: Analysis, language: str) -> analysis_pb2.Analysis:
    """Return an analysis as a message.

    Args:
        known: What is known.
        language: Of its tags' labels.
    """
    message = analysis_pb2.Analysis(
        name=analysis_name(known.media),
        media=f"{MEDIA_PREFIX}{known.media}",
        state=analysis_pb2.AnalysisState.Value(f"ANALYSIS_STATE_{known.state}"),
        models=known.models,
    )
    if known.parked is not None:
        message.parked_reason = analysis_pb2.ParkedReason.Value(f"PARKED_REASON_{known.parked.reason}")
        message.parked_detail = known.parked.detail
    if known.analyze_time is not None:
        message.analyze_time.FromDatetime(known.analyze_time)
    if known.delete_time is not None:
        message.delete_time.FromDatetime(known.delete_time)
    if known.scene is not None:
        message.findings.CopyFrom(_findings(known, known.scene, language))
    return message


def _library_entry(known: Analysis) -> library_service_pb2.LibraryEntry:
    entry = library_service_pb2.LibraryEntry(analysis=analysis(known, ENGLISH))
    if known.scene is not None:
        entry.scene_embedding = _numbers(known.scene.embedding)
        entry.face_templates.extend(_templates(known.templates, len(known.scene.faces)))
    return entry


def _after(page: Page, everything: Sequence[Analysis], *, newest_first: bool = False) -> Sequence[Analysis]:
    """Return what comes after a page's cursor, whether or not what it names is still there."""
    if page.cursor is None:
        return everything
    rank, time, media = page.cursor
    place = int(rank), float(time), media
    return everything[bisect_right(everything, place, key=lambda each: place_of(each, newest_first=newest_first)) :]


def _fitting(rows: Sequence[Analysis], most: int, render: Callable[[Analysis], MessageT]) -> Iterator[MessageT]:
    """Yield as many messages as a page holds, and one at least."""
    size = 0
    for number, row in enumerate(rows[:most]):
        message = render(row)
        size += message.ByteSize()
        if number and size > PAGE_BYTES:
            return
        yield message


def _token(page: Page, rows: Sequence[Analysis], shown: int, *, newest_first: bool = False) -> str:
    """Return the token of the page after what was shown; empty if there is none."""
    if shown >= len(rows):
        return ""
    return page.next_token(*map(str, place_of(rows[shown - 1], newest_first=newest_first)))


def _findings(known: Analysis, scene: SceneFindings, language: str) -> analysis_pb2.Findings:
    about = scene.metadata
    message = analysis_pb2.Findings(
        width=about.width,
        height=about.height,
        orientation=about.orientation,
        favorite=about.favorite,
        hidden=about.hidden,
        kind=analysis_pb2.MediaKind.Value(f"MEDIA_KIND_{scene.kind.name}"),
        kind_score=scene.kind_score,
        tags=[
            analysis_pb2.Tag(name=tag.name, label=tag_label(tag.name, language), score=tag.score) for tag in scene.tags
        ],
        faces=map(_face, scene.faces),
        sharpness=scene.sharpness,
        exposure=scene.exposure,
        perceptual_hash=scene.perceptual_hash.to_bytes(8, "big"),
        duplicate_group="" if known.duplicate_group is None else f"{MEDIA_PREFIX}{known.duplicate_group}",
        text_area=scene.writing.area,
        text_lines=[_text_line(line) for line in scene.writing.lines],
    )
    if scene.rating is not None:
        message.sensitivity = analysis_pb2.Sensitivity.Value(f"SENSITIVITY_{scene.rating.level}")
        message.sensitivity_score = scene.rating.score
    if about.capture_time is not None:
        message.capture_time.CopyFrom(_timestamp_of(about))
    if about.utc_offset is not None:
        message.capture_utc_offset.CopyFrom(_duration(about.utc_offset))
    if known.place is not None and known.place.position is not None:
        message.position.latitude = known.place.position.latitude
        message.position.longitude = known.place.position.longitude
    return message


def _face(face: FoundFace) -> analysis_pb2.Face:
    return analysis_pb2.Face(
        box=_box(face.box),
        score=face.score,
        landmarks=[analysis_pb2.RelativePoint(x=x, y=y) for x, y in face.landmarks],
    )


def _match(match: Match) -> analysis_service_pb2.MediaMatch:
    return analysis_service_pb2.MediaMatch(media=f"{MEDIA_PREFIX}{match.media}", score=match.score, lines=match.lines)


def _text_line(line: TextLine) -> analysis_pb2.TextLine:
    return analysis_pb2.TextLine(text=line.text, score=line.score, box=_box(line.box))


def _box(box: Box) -> analysis_pb2.RelativeBox:
    left, top, width, height = box
    return analysis_pb2.RelativeBox(x=left, y=top, width=width, height=height)


def _templates(templates: Templates | None, faces: int) -> Iterator[bytes]:
    """Yield for each face its template, or nothing; nothing at all without FACE_GROUPING."""
    for index in range(faces if templates is not None else 0):
        template = None if templates is None else templates.by_face.get(index)
        yield b"" if template is None else _numbers(template)


def _numbers(vector: Embedding) -> bytes:
    return vector.astype(np.dtype("<f4")).tobytes()


def _timestamp_of(about: Metadata) -> Timestamp:
    timestamp = Timestamp()
    if about.capture_time is not None:
        timestamp.FromDatetime(about.capture_time)
    return timestamp


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
