"""Requests of the RPCs, read; every field that is wrong is answered at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.internal.analysis.v1 import library_service_pb2
from services.analysis.domain.findings import Kind
from services.analysis.domain.listing import AnalysisFilter
from services.analysis.domain.media import MEDIA_PREFIX, MediaState, PreviewSize
from services.analysis.domain.tag_labels import LANGUAGES
from services.chassis.fields import Fields
from services.chassis.paging import Page, PageQuery

DEFAULT_PAGE: Final = 100
LONGEST_PAGE: Final = 1000
DEFAULT_SEARCH: Final = 20
LONGEST_SEARCH: Final = 100
LONGEST_QUERY: Final = 200
MOST_PREVIEWS: Final = 1000
_LONGEST_TAG: Final = 100
FEED: Final = "WatchAnalyses"
_COLLECTION: Final = MEDIA_PREFIX.rstrip("/")
_ORDERS: Final = {"": False, "capture_time": False, "capture_time desc": True}


class _KindName(StrEnum):
    """Kinds by the names that the contract gives them."""

    PHOTO = "PHOTO"
    DOCUMENT = "DOCUMENT"
    RECEIPT = "RECEIPT"
    SCREENSHOT = "SCREENSHOT"


@dataclass(frozen=True)
class ListRequest:
    """Which page of which list of analyses is asked for."""

    wanted: AnalysisFilter
    newest_first: bool
    page: Page
    language: str


@dataclass(frozen=True)
class PreviewRequest:
    """Which preview is asked for, from which byte on."""

    media: UUID
    size: PreviewSize
    offset: int


def analysis_request(request: analysis_service_pb2.GetAnalysisRequest) -> tuple[UUID, str]:
    """Return the media whose analysis is asked for, and the language of its tags."""
    with Fields() as fields:
        (media,) = fields.name(request.name, "name", f"{_COLLECTION}/{{uuid}}/analysis")
        language = fields.language(request.language_code, LANGUAGES)
    return UUID(media), language


def list_request(request: analysis_service_pb2.ListAnalysesRequest, subject: str) -> ListRequest:
    """Return which analyses are listed, and in which order."""
    order = " ".join(request.order_by.split())
    narrowed = request.filter.SerializeToString(deterministic=True).hex()
    query = PageQuery("ListAnalyses", subject, (narrowed, str(_ORDERS.get(order))))
    with Fields() as fields:
        if order not in _ORDERS:
            fields.refuse("order_by", 'choose "capture_time" or "capture_time desc"')
        wanted = _filter(request.filter, fields.within("filter"))
        page = fields.page(request, query, default=DEFAULT_PAGE, most=LONGEST_PAGE)
        language = fields.language(request.language_code, LANGUAGES)
    return ListRequest(wanted, _ORDERS[order], page, language)


def library_page(request: library_service_pb2.ListLibraryRequest, subject: str) -> Page:
    """Return which page of a person's library is asked for."""
    with Fields() as fields:
        return fields.page(request, PageQuery("ListLibrary", subject), default=DEFAULT_PAGE, most=LONGEST_PAGE)


def search_request(request: analysis_service_pb2.SearchMediaRequest, subject: str) -> Page:
    """Return which page of a search is asked for; its query is in bounds."""
    query = PageQuery("SearchMedia", subject, (request.query,))
    with Fields() as fields:
        fields.text(request.query.strip(), "query", least=1, most=LONGEST_QUERY)
        return fields.page(request, query, default=DEFAULT_SEARCH, most=LONGEST_SEARCH)


def preview_request(request: analysis_service_pb2.ReadPreviewRequest) -> PreviewRequest:
    """Return which preview is asked for."""
    with Fields() as fields:
        return PreviewRequest(
            fields.resource(request.media, "media", _COLLECTION),
            _size(request.size, fields),
            fields.number(request.offset, "offset"),
        )


def previews_request(request: analysis_service_pb2.BatchReadPreviewsRequest) -> tuple[list[UUID], PreviewSize]:
    """Return which previews are asked for, in their order."""
    with Fields() as fields:
        names = fields.many(request.media, "media", least=1, most=MOST_PREVIEWS)
        media = [fields.resource(name, f"media[{place}]", _COLLECTION) for place, name in enumerate(names)]
        return media, _size(request.size, fields)


def watch_request(request: analysis_service_pb2.WatchAnalysesRequest, subject: str) -> tuple[str, str]:
    """Return the device that listens, or nothing, and the language of tags."""
    with Fields() as fields:
        fields.cursor(request.cursor, PageQuery(FEED, subject))
        device = _device(request.device, fields) if request.device else ""
        return device, fields.language(request.language_code, LANGUAGES)


def acknowledgement(request: analysis_service_pb2.AcknowledgeAnalysisChangesRequest, subject: str) -> tuple[str, str]:
    """Return the device that has taken changes in, and the cursor up to which."""
    with Fields() as fields:
        cursor = fields.cursor(request.cursor, PageQuery(FEED, subject))
        return _device(request.device, fields), cursor


def _filter(message: analysis_pb2.AnalysisFilter, fields: Fields) -> AnalysisFilter:
    start = fields.optional_time(message, "capture_start_time")
    return AnalysisFilter(
        kinds=frozenset(
            Kind[fields.enum(kind, f"kinds[{place}]", analysis_pb2.MediaKind.DESCRIPTOR, _KindName)]
            for place, kind in enumerate(message.kinds)
        ),
        states=frozenset(
            fields.enum(state, f"states[{place}]", analysis_pb2.AnalysisState.DESCRIPTOR, MediaState)
            for place, state in enumerate(message.states)
        ),
        tag=fields.text(message.tag, "tag", most=_LONGEST_TAG),
        start=start,
        end=fields.optional_time(message, "capture_end_time", after=start),
    )


def _device(name: str, fields: Fields) -> str:
    return f"devices/{fields.resource(name, 'device', 'devices')}"


def _size(size: int, fields: Fields) -> PreviewSize:
    if size == analysis_service_pb2.PREVIEW_SIZE_UNSPECIFIED:
        return PreviewSize.SCREEN
    return fields.enum(size, "size", analysis_service_pb2.PreviewSize.DESCRIPTOR, PreviewSize)
