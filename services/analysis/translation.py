"""Between messages and what the use cases take and give; raises field violations."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.consent.v1 import consent_pb2
from pellicule.consent.v1 import purpose_pb2 as consent_purpose_pb2
from pellicule.ingest.v1 import media_pb2, purpose_pb2
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
from services.analysis.domain.media import MEDIA_PREFIX, MediaState, PreviewSize, StoredMedia
from services.analysis.domain.model_set import EXTRA_PURPOSES
from services.analysis.domain.search_ranking import Match
from services.analysis.errors import ViewNotAllowed
from services.chassis.errors import FieldInvalid
from services.chassis.events import OutgoingEvent
from services.chassis.principal import Principal, Service
from services.keyring import Purpose

DEFAULT_PAGE: Final = 100
LONGEST_PAGE: Final = 1000
DEFAULT_SEARCH: Final = 20
LONGEST_SEARCH: Final = 100
LONGEST_QUERY: Final = 200
PAGE_BYTES: Final = 3 * 1024 * 1024
"""A page ends before it outgrows a message."""


def media_id(name: str) -> UUID:
    """Returns the id in `media/{uuid}`."""
    try:
        id_ = UUID(name.removeprefix(MEDIA_PREFIX))
    except ValueError:
        id_ = None
    if id_ is None or name != f"{MEDIA_PREFIX}{id_}":
        raise FieldInvalid.of("media", "give a name such as media/{uuid}, as ListMedia returns it")
    return id_


def wants_everything(view: int, caller: Principal) -> bool:
    """Returns whether the full view is asked for.

    Raises:
        ViewNotAllowed: it is, and not by a service.
    """
    if view not in analysis_pb2.AnalysisView.values():
        raise FieldInvalid.of("view", "choose ANALYSIS_VIEW_BASIC or ANALYSIS_VIEW_FULL")
    full = view == analysis_pb2.ANALYSIS_VIEW_FULL
    if full and not isinstance(caller, Service):
        raise ViewNotAllowed.of("ANALYSIS_VIEW_FULL")
    return full


def preview_size(size: int) -> PreviewSize:
    """Returns which reduced copy is wanted."""
    if size == analysis_service_pb2.PREVIEW_SIZE_THUMBNAIL:
        return PreviewSize.THUMBNAIL
    if size in (analysis_service_pb2.PREVIEW_SIZE_UNSPECIFIED, analysis_service_pb2.PREVIEW_SIZE_PREVIEW):
        return PreviewSize.PREVIEW
    raise FieldInvalid.of("size", "choose PREVIEW_SIZE_THUMBNAIL or PREVIEW_SIZE_PREVIEW")


def page(
    request: analysis_service_pb2.ListAnalysesRequest, everything: Sequence[Analysis], *, full: bool
) -> analysis_service_pb2.ListAnalysesResponse:
    """Returns the page that a request asks for."""
    if not 0 <= request.page_size <= LONGEST_PAGE:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {LONGEST_PAGE}, or 0 for {DEFAULT_PAGE}")
    start = _start(request.page_token, [each.media for each in everything])
    response = analysis_service_pb2.ListAnalysesResponse()
    size = 0
    for each in everything[start : start + (request.page_size or DEFAULT_PAGE)]:
        message = analysis(each, full=full)
        size += message.ByteSize()
        if response.analyses and size > PAGE_BYTES:
            break
        response.analyses.append(message)
    end = start + len(response.analyses)
    if end < len(everything):
        response.next_page_token = everything[end - 1].media.hex
    return response


def _start(token: str, media: Sequence[UUID]) -> int:
    """Returns where the page behind a token begins; tokens name the last media of their page."""
    if not token:
        return 0
    place = next((index for index, each in enumerate(media) if each.hex == token), None)
    if place is None:
        raise FieldInvalid.of("page_token", "use the next_page_token of the page before; if it fails, begin again")
    return place + 1


def query(request: analysis_service_pb2.SearchMediaRequest) -> str:
    """Returns what is looked for."""
    if not 1 <= len(request.query.strip()) <= LONGEST_QUERY:
        raise FieldInvalid.of("query", f"say in 1 to {LONGEST_QUERY} characters what to look for")
    if not 0 <= request.page_size <= LONGEST_SEARCH:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {LONGEST_SEARCH}, or 0 for {DEFAULT_SEARCH}")
    return request.query


def search_page(
    request: analysis_service_pb2.SearchMediaRequest, everything: Sequence[Match]
) -> analysis_service_pb2.SearchMediaResponse:
    """Returns the page of matches that a request asks for."""
    start = _start(request.page_token, [each.media for each in everything])
    shown = everything[start : start + (request.page_size or DEFAULT_SEARCH)]
    response = analysis_service_pb2.SearchMediaResponse(matches=[_match(each) for each in shown])
    if start + len(shown) < len(everything):
        response.next_page_token = shown[-1].media.hex
    return response


def analysis(known: Analysis, *, full: bool) -> analysis_pb2.Analysis:
    """Returns an analysis as a message.

    Args:
        known: What is known.
        full: Whether embeddings and templates go along.
    """
    message = analysis_pb2.Analysis(
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
        message.findings.CopyFrom(_findings(known, known.scene, full=full))
    return message


def media_analyzed(media: StoredMedia, state: MediaState) -> OutgoingEvent:
    """Returns the event that tells of an analysed media."""
    message = analysis_pb2.MediaAnalyzed(
        subject=media.subject,
        media=media.name,
        state=analysis_pb2.AnalysisState.Value(f"ANALYSIS_STATE_{state}"),
    )
    return OutgoingEvent(message.DESCRIPTOR.full_name, media.name, message.SerializeToString())


def stored_media(message: media_pb2.MediaStored) -> StoredMedia:
    """Reads ingest's event."""
    return StoredMedia(
        media=media_id(message.media),
        subject=message.subject,
        purpose=Purpose(purpose_pb2.Purpose.Name(message.purpose).removeprefix("PURPOSE_")),
        data_key_id=str(UUID(message.data_key_id)),
        purpose_revision=message.purpose_revision,
        objects=tuple(segment.object for segment in message.segments),
        sealed_metadata=message.sealed_metadata,
        delete_time=message.delete_time.ToDatetime(UTC),
    )


def metadata(body: bytes) -> Metadata:
    """Reads ingest's sealed message."""
    message = media_pb2.MediaMetadata.FromString(body)
    known_time, known_offset = message.HasField("capture_time"), message.HasField("capture_utc_offset")
    return Metadata(
        width=message.width,
        height=message.height,
        orientation=message.orientation,
        capture_time=message.capture_time.ToDatetime(UTC) if known_time else None,
        utc_offset=message.capture_utc_offset.ToTimedelta() if known_offset else None,
        favorite=message.favorite,
        screenshot=message.screenshot,
    )


def granted(message: consent_pb2.ConsentChanged) -> tuple[str, list[Purpose]]:
    """Reads consent's event: the person, and what was granted that more is learnt for."""
    names = {consent_purpose_pb2.Purpose.Name(purpose).removeprefix("PURPOSE_") for purpose in message.granted}
    return message.subject, [purpose for purpose in EXTRA_PURPOSES if purpose in names]


def _findings(known: Analysis, scene: SceneFindings, *, full: bool) -> analysis_pb2.Findings:
    about = scene.metadata
    message = analysis_pb2.Findings(
        width=about.width,
        height=about.height,
        orientation=about.orientation,
        favorite=about.favorite,
        kind=analysis_pb2.MediaKind.Value(f"MEDIA_KIND_{scene.kind.name}"),
        kind_score=scene.kind_score,
        tags=[analysis_pb2.Tag(name=tag.name, score=tag.score) for tag in scene.tags],
        faces=[
            _face(face, _template(known.templates, index) if full else None) for index, face in enumerate(scene.faces)
        ],
        sharpness=scene.sharpness,
        exposure=scene.exposure,
        perceptual_hash=scene.perceptual_hash.to_bytes(8, "big"),
        duplicate_group="" if known.duplicate_group is None else f"{MEDIA_PREFIX}{known.duplicate_group}",
        scene_embedding=_numbers(scene.embedding) if full else b"",
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


def _face(face: FoundFace, template: Embedding | None) -> analysis_pb2.Face:
    return analysis_pb2.Face(
        box=_box(face.box),
        score=face.score,
        landmarks=[analysis_pb2.RelativePoint(x=x, y=y) for x, y in face.landmarks],
        template=b"" if template is None else _numbers(template),
    )


def _match(match: Match) -> analysis_service_pb2.MediaMatch:
    return analysis_service_pb2.MediaMatch(media=f"{MEDIA_PREFIX}{match.media}", score=match.score, lines=match.lines)


def _text_line(line: TextLine) -> analysis_pb2.TextLine:
    return analysis_pb2.TextLine(text=line.text, score=line.score, box=_box(line.box))


def _box(box: Box) -> analysis_pb2.RelativeBox:
    left, top, width, height = box
    return analysis_pb2.RelativeBox(x=left, y=top, width=width, height=height)


def _template(templates: Templates | None, index: int) -> Embedding | None:
    return None if templates is None else templates.by_face.get(index)


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
