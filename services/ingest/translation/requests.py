"""Requests of the contract, parsed: all that is wrong with one is said at once."""

from datetime import datetime
from uuid import UUID

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.fields import Fields, PagedRequest
from services.chassis.paging import Page, PageQuery
from services.ingest.domain.media import BATCH_FILE_LIMIT, Announcement, Asset, MediaForm, PageStart
from services.ingest.domain.media_list import MediaFilter, MediaOrder, MediaQuery
from services.ingest.operations.update_media import OwnerMarks
from services.ingest.translation import capture_time

MAX_BATCH = 1000
"""Assets in a plan, and media in a batch."""
DEFAULT_PAGE = 100
MAX_PAGE = 1000
MEDIA = "media"
_CHANGEABLE = ("favorite", "hidden")
UPLOADS = "uploads"
_MAX_CLIENT_ID = 256
_MAX_FILE_NAME = 1024
_MAX_CONTENT_TYPE = 128
_MAX_SIDE = 2**31 - 1


def assets_to_plan(
    request: media_service_pb2.PlanUploadsRequest,
) -> tuple[list[Asset], list[media_pb2.PlanItem]]:
    """Return the assets of a request, and the plan for those whose summary cannot be used.

    Raises:
        FieldInvalid: there are too many.
    """
    with Fields() as fields:
        summaries = fields.many(request.assets, "assets", most=MAX_BATCH)
    assets: dict[str, Asset] = {}
    invalid: list[media_pb2.PlanItem] = []
    for summary in summaries:
        try:
            with Fields() as fields:
                if summary.client_id in assets:
                    fields.refuse("client_id", "give each asset a name of its own")
                found = _asset(summary, fields)
            assets[summary.client_id] = found
        except FieldInvalid as error:
            invalid.append(_invalid_item(summary.client_id, error))
    return list(assets.values()), invalid


def start(request: media_service_pb2.StartUploadRequest, fields: Fields) -> tuple[UUID, Announcement]:
    """Return the id of a request that starts an upload, and what it announces."""
    request_id = fields.uuid(request.request_id, "request_id")
    announced = Announcement(
        asset=_asset(request.asset, fields.within("asset")),
        form=fields.enum(request.form, "form", media_pb2.MediaForm.DESCRIPTOR, MediaForm),
        size_bytes=fields.number(request.size_bytes, "size_bytes"),
        sha256=fields.sha256(request.sha256, "sha256"),
    )
    if announced.form is MediaForm.ORIGINAL:
        if announced.sha256 != announced.asset.sha256:
            fields.refuse("sha256", "of an original it is that of the asset")
        if announced.size_bytes != announced.asset.size_bytes:
            fields.refuse("size_bytes", "of an original it is that of the asset")
    return request_id, announced


def small_file(request: media_service_pb2.StartUploadRequest, fields: Fields) -> tuple[UUID, Announcement]:
    """Return what `start` returns, of a file for a batch."""
    fields.number(request.size_bytes, "size_bytes", most=BATCH_FILE_LIMIT)
    return start(request, fields)


def media_to_delete(request: media_service_pb2.BatchDeleteMediaRequest) -> tuple[list[UUID], UUID]:
    """Return the media of a batch, and the request's id.

    Raises:
        FieldInvalid: there are none or too many, or a name is none.
    """
    with Fields() as fields:
        names = fields.many(request.names, "names", least=1, most=MAX_BATCH)
        media_ids = [fields.resource(name, f"names[{place}]", MEDIA) for place, name in enumerate(names)]
        request_id = fields.uuid(request.request_id, "request_id")
    return media_ids, request_id


def media_to_update(request: media_service_pb2.UpdateMediaRequest) -> tuple[UUID, OwnerMarks, UUID | None]:
    """Return which media changes, in what, and the request's id if it has one."""
    with Fields() as fields:
        media_id = fields.resource(request.media.name, "media.name", MEDIA)
        changed = set(request.update_mask.paths) or set(_CHANGEABLE)
        if not changed <= set(_CHANGEABLE):
            fields.refuse("update_mask", f"name no fields but {' and '.join(_CHANGEABLE)}, or leave it out for both")
        request_id = fields.uuid(request.request_id, "request_id") if request.request_id else None
    marks = OwnerMarks(**{field: getattr(request.media, field) for field in changed})
    return media_id, marks, request_id


def page(request: PagedRequest, query: PageQuery, most: int = MAX_PAGE) -> tuple[Page, PageStart | None]:
    """Return which page of a list is wanted, and where it begins.

    Raises:
        FieldInvalid: the size is negative, or the token is not one of this list.
    """
    with Fields() as fields:
        return _page(request, query, fields, most)


def media_list(request: media_service_pb2.ListMediaRequest, subject: str) -> tuple[Page, PageStart | None, MediaQuery]:
    """Return which page of which media is wanted, and where it begins.

    Raises:
        FieldInvalid: there is no such order, the filter takes nothing, or the token is not one of this list.
    """
    order = " ".join(request.order_by.split()) or MediaOrder.NEWEST_UPLOAD
    narrowed = request.filter.SerializeToString(deterministic=True).hex()
    with Fields() as fields:
        found, after = _page(request, PageQuery("ListMedia", subject, (order, narrowed)), fields)
        if order not in set(MediaOrder):
            fields.refuse("order_by", f"choose one of {', '.join(MediaOrder)}, or leave it empty")
        wanted = _filter(request.filter, fields.within("filter"))
    return found, after, MediaQuery(wanted, MediaOrder(order))


def next_token(page: Page, following: PageStart | None) -> str:
    """Return the token of the page that begins there; empty where there is none."""
    return "" if following is None else page.next_token(following.time.isoformat(), str(following.id))


def _page(
    request: PagedRequest, query: PageQuery, fields: Fields, most: int = MAX_PAGE
) -> tuple[Page, PageStart | None]:
    found = fields.page(request, query, default=DEFAULT_PAGE, most=most)
    return found, None if found.cursor is None else _page_start(found.cursor, fields)


def _filter(message: media_pb2.MediaFilter, fields: Fields) -> MediaFilter:
    if message.include_hidden and message.HasField("hidden"):
        fields.refuse("include_hidden", "send it without `hidden`")
    start = fields.optional_time(message, "capture_start_time")
    return MediaFilter(
        favorite=message.favorite if message.HasField("favorite") else None,
        hidden=None if message.include_hidden else message.hidden,
        screenshot=message.screenshot if message.HasField("screenshot") else None,
        capture_start=start,
        capture_end=fields.optional_time(message, "capture_end_time", after=start),
        form=fields.enum(message.form, "form", media_pb2.MediaForm.DESCRIPTOR, MediaForm) if message.form else None,
    )


def _page_start(cursor: tuple[str, ...], fields: Fields) -> PageStart | None:
    try:
        time, id_ = cursor
        return PageStart(datetime.fromisoformat(time), UUID(id_))
    except ValueError:
        fields.refuse("page_token", "send the next_page_token of the page before, unaltered, or nothing to begin")
        return None


def _asset(message: media_pb2.AssetSummary, fields: Fields) -> Asset:
    return Asset(
        client_id=fields.text(message.client_id, "client_id", most=_MAX_CLIENT_ID),
        sha256=fields.sha256(message.sha256, "sha256"),
        capture_time=fields.optional_time(message, "capture_time"),
        size_bytes=fields.number(message.size_bytes, "size_bytes"),
        width=fields.number(message.width, "width", most=_MAX_SIDE),
        height=fields.number(message.height, "height", most=_MAX_SIDE),
        content_type=fields.text(message.content_type, "content_type", most=_MAX_CONTENT_TYPE),
        file_name=_file_name(message.file_name, fields),
        favorite=message.favorite,
        screenshot=message.screenshot,
        capture_utc_offset=capture_time.announced_offset(message, fields),
        capture_time_source=capture_time.announced_source(message, fields),
        capture_time_precision=capture_time.announced_precision(message, fields),
    )


def _file_name(value: str, fields: Fields) -> str:
    """Return a file's name as it is: what shows it spells out characters that move a cursor."""
    if len(value) > _MAX_FILE_NAME:
        fields.refuse("file_name", f"send at most {_MAX_FILE_NAME} characters: leave out folders that lead to it")
        return ""
    return value


def _invalid_item(client_id: str, error: FieldInvalid) -> media_pb2.PlanItem:
    return media_pb2.PlanItem(
        client_id=client_id,
        action=media_pb2.PLAN_ACTION_SKIP,
        reason=media_pb2.PLAN_REASON_INVALID,
        violations=[
            media_pb2.PlanViolation(field=violation.field, description=violation.description)
            for violation in error.violations
        ],
    )
