"""Translation of the contract's messages to and from plain data; the one place where requests are parsed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.ingest.v1 import media_pb2, media_service_pb2, purpose_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.events import OutgoingEvent
from services.ingest.domain.media import (
    SHA256_BYTES,
    Announcement,
    Asset,
    Media,
    MediaMetadata,
    PageToken,
    Rendition,
    Upload,
    media_name,
    upload_name,
)
from services.ingest.domain.records import MediaRow, Segment
from services.ingest.domain.upload_plan import PlanItem
from services.keyring import Purpose

MAX_ASSETS = 1000
DEFAULT_PAGE = 100
MAX_PAGE = 1000
_MAX_CLIENT_ID = 256
_MAX_FILE_NAME = 1024
_MAX_CONTENT_TYPE = 128


def uuid_of(value: str, field: str, prefix: str = "") -> UUID:
    """Returns the UUID of a resource name or of an id, in its canonical form.

    Raises:
        FieldInvalid: it is none.
    """
    try:
        found = UUID(value.removeprefix(prefix))
    except ValueError:
        found = None
    if found is None or value != f"{prefix}{found}":
        raise FieldInvalid.of(field, f"send {prefix}{{uuid}} in lower case, with hyphens")
    return found


def assets_to_plan(request: media_service_pb2.PlanUploadsRequest) -> list[Asset]:
    """Returns the assets of a request.

    Raises:
        FieldInvalid: there are too many, or two with one name, or one is malformed.
    """
    if len(request.assets) > MAX_ASSETS:
        raise FieldInvalid.of("assets", f"send at most {MAX_ASSETS} in a request")
    assets = [asset(message, f"assets[{index}]") for index, message in enumerate(request.assets)]
    seen: set[str] = set()
    for index, each in enumerate(assets):
        if each.client_id in seen:
            raise FieldInvalid.of(f"assets[{index}].client_id", "give each asset a name of its own")
        seen.add(each.client_id)
    return assets


def asset(message: media_pb2.AssetSummary, field: str) -> Asset:
    """Returns an asset.

    Raises:
        FieldInvalid: something in it cannot be.
    """
    for name, limit in (
        ("client_id", _MAX_CLIENT_ID),
        ("file_name", _MAX_FILE_NAME),
        ("content_type", _MAX_CONTENT_TYPE),
    ):
        if len(getattr(message, name)) > limit:
            raise FieldInvalid.of(f"{field}.{name}", f"send at most {limit} characters")
    for name in ("size_bytes", "width", "height"):
        if getattr(message, name) < 0:
            raise FieldInvalid.of(f"{field}.{name}", "send no negative number")
    return Asset(
        client_id=message.client_id,
        sha256=_sha256(message.sha256, f"{field}.sha256"),
        capture_time=_time(message.capture_time, f"{field}.capture_time") if message.HasField("capture_time") else None,
        size_bytes=message.size_bytes,
        width=message.width,
        height=message.height,
        content_type=message.content_type,
        file_name=message.file_name,
        favorite=message.favorite,
        screenshot=message.screenshot,
    )


def announcement(request: media_service_pb2.StartUploadRequest) -> Announcement:
    """Returns what a request announces.

    Raises:
        FieldInvalid: something in it cannot be, or contradicts the rest.
    """
    announced = Announcement(
        asset=asset(request.asset, "asset"),
        rendition=_rendition(request.rendition),
        size_bytes=request.size_bytes,
        sha256=_sha256(request.sha256, "sha256"),
    )
    if announced.size_bytes < 0:
        raise FieldInvalid.of("size_bytes", "send no negative number")
    if announced.rendition is Rendition.ORIGINAL:
        if announced.sha256 != announced.asset.sha256:
            raise FieldInvalid.of("sha256", "of an original it is that of the asset")
        if announced.size_bytes != announced.asset.size_bytes:
            raise FieldInvalid.of("size_bytes", "of an original it is that of the asset")
    return announced


def start_in_header(header: media_service_pb2.UploadHeader) -> tuple[UUID, Announcement]:
    """Returns the request that a stream starts its upload with.

    Raises:
        FieldInvalid: something in it cannot be, or an upload is named beside it.
    """
    if header.upload or header.offset:
        raise FieldInvalid.of("header.start", "name an upload and an offset, or start one: not both")
    return uuid_of(header.start.request_id, "header.start.request_id"), announcement(header.start)


def page(request: media_service_pb2.ListMediaRequest) -> tuple[int, PageToken | None]:
    """Returns the size of a page and where it begins.

    Raises:
        FieldInvalid: the size is out of bounds, or the token none of ours.
    """
    if not 0 <= request.page_size <= MAX_PAGE:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {MAX_PAGE}")
    try:
        token = PageToken.decode(request.page_token) if request.page_token else None
    except ValueError as error:
        raise FieldInvalid.of("page_token", "send next_page_token of the page before, or nothing") from error
    return request.page_size or DEFAULT_PAGE, token


def plan_item(item: PlanItem) -> media_pb2.PlanItem:
    """Returns the plan for one asset."""
    return media_pb2.PlanItem(
        client_id=item.client_id,
        action=media_pb2.PlanAction.Value(f"PLAN_ACTION_{item.action}"),
        reason=media_pb2.PlanReason.Value(f"PLAN_REASON_{item.reason}"),
        media="" if item.media_id is None else media_name(item.media_id),
    )


def upload(each: Upload) -> media_pb2.Upload:
    """Returns an upload."""
    return media_pb2.Upload(
        name=upload_name(each.id),
        committed_size_bytes=each.committed_bytes,
        size_bytes=each.size_bytes,
        expire_time=_timestamp(each.expire_time),
        media="" if each.media_id is None else media_name(each.media_id),
    )


def media(each: Media) -> media_pb2.Media:
    """Returns a media."""
    known = _metadata_message(each.metadata)
    return media_pb2.Media(
        name=media_name(each.id),
        sha256=known.sha256,
        rendition=known.rendition,
        size_bytes=known.size_bytes,
        content_type=known.content_type,
        width=known.width,
        height=known.height,
        orientation=known.orientation,
        file_name=known.file_name,
        capture_time=known.capture_time if known.HasField("capture_time") else None,
        capture_utc_offset=known.capture_utc_offset if known.HasField("capture_utc_offset") else None,
        favorite=known.favorite,
        screenshot=known.screenshot,
        upload_time=_timestamp(each.upload_time),
        delete_time=_timestamp(each.delete_time),
        purpose=_purpose(each.purpose),
    )


class ProtoCodec:
    """Implements `ports.Codec` with the contract's messages."""

    def encode_metadata(self, metadata: MediaMetadata) -> bytes:
        """Returns metadata in the form in which it is sealed."""
        return _metadata_message(metadata).SerializeToString()

    def decode_metadata(self, data: bytes) -> MediaMetadata:
        """Reads what `encode_metadata` wrote."""
        message = media_pb2.MediaMetadata.FromString(data)
        return MediaMetadata(
            sha256=message.sha256,
            rendition=_rendition(message.rendition),
            size_bytes=message.size_bytes,
            content_type=message.content_type,
            width=message.width,
            height=message.height,
            orientation=message.orientation,
            file_name=message.file_name,
            capture_time=message.capture_time.ToDatetime(UTC) if message.HasField("capture_time") else None,
            capture_utc_offset=(
                message.capture_utc_offset.ToTimedelta() if message.HasField("capture_utc_offset") else None
            ),
            favorite=message.favorite,
            screenshot=message.screenshot,
        )

    def media_stored(self, media: MediaRow, segments: Sequence[Segment]) -> OutgoingEvent:
        """Returns the event that tells of a media."""
        body = media_pb2.MediaStored(
            media=media_name(media.id),
            subject=media.subject,
            purpose=_purpose(media.purpose),
            data_key_id=str(media.data_key_id),
            purpose_revision=media.purpose_revision,
            segments=[
                media_pb2.ObjectSegment(object=segment.object, size_bytes=segment.size_bytes) for segment in segments
            ],
            sealed_metadata=media.sealed_metadata,
            delete_time=_timestamp(media.delete_time),
        )
        return OutgoingEvent(
            type=media_pb2.MediaStored.DESCRIPTOR.full_name,
            subject=media_name(media.id),
            body=body.SerializeToString(),
        )


def _metadata_message(metadata: MediaMetadata) -> media_pb2.MediaMetadata:
    message = media_pb2.MediaMetadata(
        sha256=metadata.sha256,
        rendition=media_pb2.Rendition.Value(f"RENDITION_{metadata.rendition}"),
        size_bytes=metadata.size_bytes,
        content_type=metadata.content_type,
        width=metadata.width,
        height=metadata.height,
        orientation=metadata.orientation,
        file_name=metadata.file_name,
        favorite=metadata.favorite,
        screenshot=metadata.screenshot,
    )
    if metadata.capture_time is not None:
        message.capture_time.CopyFrom(_timestamp(metadata.capture_time))
    if metadata.capture_utc_offset is not None:
        offset = Duration()
        offset.FromTimedelta(metadata.capture_utc_offset)
        message.capture_utc_offset.CopyFrom(offset)
    return message


def _rendition(value: "media_pb2.Rendition.ValueType") -> Rendition:
    match value:
        case media_pb2.RENDITION_ORIGINAL:
            return Rendition.ORIGINAL
        case media_pb2.RENDITION_PREVIEW:
            return Rendition.PREVIEW
        case _:
            raise FieldInvalid.of("rendition", "choose RENDITION_ORIGINAL or RENDITION_PREVIEW")


def _purpose(purpose: Purpose) -> "purpose_pb2.Purpose.ValueType":
    return purpose_pb2.Purpose.Value(f"PURPOSE_{purpose}")


def _sha256(value: bytes, field: str) -> bytes:
    if len(value) != SHA256_BYTES:
        raise FieldInvalid.of(field, f"send the {SHA256_BYTES} bytes of a SHA-256, not their hex digits")
    return value


def _time(message: Timestamp, field: str) -> datetime:
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldInvalid.of(field, "send a time from year 1 to year 9999") from error


def _timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message
