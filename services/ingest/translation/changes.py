"""Messages of the change feed of media."""

from dataclasses import dataclass
from uuid import UUID

from pellicule.ingest.v1 import media_service_pb2
from pellicule.type.v1 import change_feed_pb2
from services.chassis.changes.feed import Checkpoint, Reset
from services.chassis.fields import Fields
from services.chassis.paging import PageQuery
from services.ingest.operations.watch_media import Told, ToldDeletion, ToldMedia
from services.ingest.translation import resources
from services.ingest.translation.devices import DEVICES

FEED = "WatchMedia"
"""What cursors belong to."""


@dataclass(frozen=True)
class WatchQuery:
    """What a feed was asked for; fields as in `watch_media`."""

    cursor: str
    device_id: UUID | None
    until_checkpoint: bool


def watch_query(request: media_service_pb2.WatchMediaRequest, subject: str) -> WatchQuery:
    """Return what a feed was asked for."""
    with Fields() as fields:
        device_id = fields.resource(request.device, "device", DEVICES) if request.device else None
        cursor = fields.cursor(request.cursor, PageQuery(FEED, subject))
        return WatchQuery(cursor, device_id, request.until_checkpoint)


def acknowledgement(request: media_service_pb2.AcknowledgeMediaChangesRequest, subject: str) -> tuple[UUID, str]:
    """Return which device acknowledges, and the cursor."""
    with Fields() as fields:
        device_id = fields.resource(request.device, "device", DEVICES)
        return device_id, fields.cursor(request.cursor, PageQuery(FEED, subject))


def told(item: Told) -> media_service_pb2.WatchMediaResponse:
    """Return what the feed tells as a message."""
    message = media_service_pb2.WatchMediaResponse
    match item:
        case ToldMedia(cursor, is_new, media):
            shown = resources.media(media)
            return message(cursor=cursor, created=shown) if is_new else message(cursor=cursor, changed=shown)
        case ToldDeletion(cursor, name):
            return message(cursor=cursor, deleted=name)
        case Checkpoint(cursor, snapshot):
            return message(cursor=cursor, checkpoint=change_feed_pb2.ChangeFeedCheckpoint(snapshot=snapshot))
        case Reset():
            return message(reset=change_feed_pb2.ChangeFeedReset())
