"""Translation between messages and use cases; every field that is wrong is answered at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.internal.analysis.v1 import media_analyzed_pb2
from pellicule.internal.suggestion.v1 import suggestion_saved_pb2
from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from pellicule.type.v1 import byte_stream_pb2, change_feed_pb2
from services.chassis.changes.feed import Checkpoint, Reset
from services.chassis.fields import Fields
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.paging import Page, PageQuery
from services.suggestion.domain import evidence_labels, titles
from services.suggestion.domain.suggestions import Evidence, Kind, State
from services.suggestion.operations.list_suggestions import Order, SuggestionFilter
from services.suggestion.operations.open_suggestions import OpenSuggestion
from services.suggestion.operations.watch import Told, ToldDeletion, ToldSuggestion
from services.suggestion.ports import RenditionRow

DEFAULT_PAGE = 100
LONGEST_PAGE = 1000
MOST_IN_A_FILTER = 20
FEED = "WatchSuggestions"
_KINDS = suggestion_pb2.SuggestionKind.DESCRIPTOR
_STATES = suggestion_pb2.SuggestionState.DESCRIPTOR


@dataclass(frozen=True)
class ListQuery:
    """What ListSuggestions was asked for."""

    wanted: SuggestionFilter
    order: Order
    page: Page
    language: str


@dataclass(frozen=True)
class WatchQuery:
    """What WatchSuggestions was asked for."""

    cursor: str
    device: str
    until_checkpoint: bool
    language: str


class DecisionRequest(Protocol):
    """A request that decides about a suggestion."""

    @property
    def request_id(self) -> str:
        """Return what makes a repeated call harmless."""

    @property
    def name(self) -> str:
        """Return the name of the suggestion."""

    @property
    def language_code(self) -> str:
        """Return the language of the answer."""


def list_query(request: suggestion_service_pb2.ListSuggestionsRequest, subject: str) -> ListQuery:
    """Return what a list was asked for."""
    with Fields() as fields:
        code = fields.language(request.language_code)
        wanted = _filter(fields.within("filter"), request.filter)
        order = _order(fields, request.order_by)
        what = (*sorted(wanted.kinds), "", *sorted(wanted.states), "", wanted.media, order, code)
        query = PageQuery("ListSuggestions", subject, what)
        page = fields.page(request, query, default=DEFAULT_PAGE, most=LONGEST_PAGE)
        return ListQuery(wanted, order, page, code)


def get_query(request: suggestion_service_pb2.GetSuggestionRequest) -> tuple[UUID, str]:
    """Return which suggestion is asked for, in which language."""
    with Fields() as fields:
        code = fields.language(request.language_code)
        return fields.resource(request.name, "name", "suggestions"), code


def rendition_query(request: suggestion_service_pb2.ReadRenditionRequest) -> tuple[UUID, int, int]:
    """Return which rendition of which suggestion is read, and from where on."""
    with Fields() as fields:
        suggestion_id, number = fields.name(request.name, "name", "suggestions/{uuid}/renditions/{number}")
        offset = fields.number(request.offset, "offset")
    return UUID(suggestion_id), int(number), offset


def watch_query(request: suggestion_service_pb2.WatchSuggestionsRequest, subject: str) -> WatchQuery:
    """Return what a feed was asked for."""
    with Fields() as fields:
        code = fields.language(request.language_code)
        device = _device(fields, request.device) if request.device else ""
        cursor = fields.cursor(request.cursor, PageQuery(FEED, subject))
        return WatchQuery(cursor, device, request.until_checkpoint, code)


def acknowledgement(
    request: suggestion_service_pb2.AcknowledgeSuggestionChangesRequest, subject: str
) -> tuple[str, str]:
    """Return which device acknowledges, and the cursor."""
    with Fields() as fields:
        device = _device(fields, request.device)
        return device, fields.cursor(request.cursor, PageQuery(FEED, subject))


def decision_query(request: DecisionRequest) -> tuple[UUID, UUID, str]:
    """Return which suggestion is decided about, by which request, and the language of the answer."""
    with Fields() as fields:
        code = fields.language(request.language_code)
        suggestion_id = fields.resource(request.name, "name", "suggestions")
        return suggestion_id, fields.uuid(request.request_id, "request_id"), code


def suggestion(opened: OpenSuggestion, code: str) -> suggestion_pb2.Suggestion:
    """Return a suggestion as a message, with its words in a language of `languages.OFFERED`."""
    row, idea = opened.row, opened.idea
    return suggestion_pb2.Suggestion(
        name=f"suggestions/{row.id}",
        kind=suggestion_pb2.SuggestionKind.Value(f"SUGGESTION_KIND_{idea.kind.value}"),
        title=titles.title(idea, code),
        reason=titles.reason(idea, code),
        evidence=[_evidence(each, code) for each in idea.evidence],
        media=idea.media,
        state=suggestion_pb2.SuggestionState.Value(f"SUGGESTION_STATE_{row.state}"),
        create_time=_timestamp(row.create_time),
        delete_time=_timestamp(row.delete_time),
        renditions=map(_rendition, opened.renditions),
        theme=idea.theme,
    )


def rendition_header(row: RenditionRow, offset: int) -> suggestion_service_pb2.ReadRenditionResponse:
    """Return the first message of the stream of a rendition."""
    header = byte_stream_pb2.ByteStreamHeader(content_type=row.content_type, size_bytes=row.size_bytes, offset=offset)
    return suggestion_service_pb2.ReadRenditionResponse(header=header)


def told(item: Told, code: str) -> suggestion_service_pb2.WatchSuggestionsResponse:
    """Return what the feed tells as a message, with its words in a language of `languages.OFFERED`."""
    message = suggestion_service_pb2.WatchSuggestionsResponse
    match item:
        case ToldSuggestion(cursor, is_new, opened):
            shown = suggestion(opened, code)
            return message(cursor=cursor, created=shown) if is_new else message(cursor=cursor, changed=shown)
        case ToldDeletion(cursor, name):
            return message(cursor=cursor, deleted=name)
        case Checkpoint(cursor, snapshot):
            return message(cursor=cursor, checkpoint=change_feed_pb2.ChangeFeedCheckpoint(snapshot=snapshot))
        case Reset():
            return message(reset=change_feed_pb2.ChangeFeedReset())


def saved_event(subject: str, opened: OpenSuggestion) -> OutgoingEvent:
    """Return the event that tells of a saved suggestion."""
    message = suggestion_saved_pb2.SuggestionSaved(
        subject=subject, suggestion=f"suggestions/{opened.row.id}", media=opened.idea.media
    )
    return OutgoingEvent(message.DESCRIPTOR.full_name, subject, message.SerializeToString(), person=subject)


def upload_time(message: media_analyzed_pb2.MediaAnalyzed) -> datetime | None:
    """Read when a media was uploaded out of analysis' event; None if it was analyzed before."""
    return message.upload_time.ToDatetime(UTC) if message.HasField("upload_time") else None


def _filter(fields: Fields, message: suggestion_pb2.SuggestionFilter) -> SuggestionFilter:
    kinds = fields.many(message.kinds, "kinds", most=MOST_IN_A_FILTER)
    states = fields.many(message.states, "states", most=MOST_IN_A_FILTER)
    return SuggestionFilter(
        kinds=frozenset(fields.enum(kind, "kinds", _KINDS, Kind) for kind in kinds),
        states=frozenset(fields.enum(state, "states", _STATES, State) for state in states),
        media=f"media/{fields.resource(message.media, 'media', 'media')}" if message.media else "",
    )


def _order(fields: Fields, text: str) -> Order:
    wanted = " ".join(text.split()) or Order.BEST
    for order in Order:
        if order == wanted:
            return order
    fields.refuse("order_by", f"choose one of {', '.join(Order)}, or leave it empty for {Order.BEST}")
    return Order.BEST


def _device(fields: Fields, name: str) -> str:
    return f"devices/{fields.resource(name, 'device', 'devices')}"


def _evidence(evidence: Evidence, code: str) -> suggestion_pb2.Evidence:
    return suggestion_pb2.Evidence(
        signal=suggestion_pb2.EvidenceSignal.Value(f"EVIDENCE_SIGNAL_{evidence.signal.value}"),
        value=evidence.value,
        label=evidence_labels.label(evidence, code),
        media_count=evidence.media_count,
        score=evidence.score,
    )


def _rendition(row: RenditionRow) -> suggestion_pb2.Rendition:
    return suggestion_pb2.Rendition(
        name=f"suggestions/{row.suggestion_id}/renditions/{row.number}",
        layout=row.layout,
        content_type=row.content_type,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
    )


def _timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message
