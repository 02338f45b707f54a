"""Messages of the change feed of media."""

from dataclasses import dataclass
from uuid import UUID

from pellicule.ingest.v1 import media_service_pb2
from pellicule.type.v1 import change_feed_pb2
from services.chassis.change_feed import Checkpoint, Reset
from services.chassis.fields import Fields
from services.ingest.operations.watch_media import Told, ToldDeletion, ToldMedia
from services.ingest.translation import resources
from services.ingest.translation.devices import DEVICES

LONGEST_CURSOR = 2048


@dataclass(frozen=True)
class WatchQuery:
    """What a feed was asked for; fields as in `watch_media`."""

    cursor: str
    device_id: UUID | None
    until_checkpoint: bool


def watch_query(request: media_service_pb2.WatchMediaRequest) -> WatchQuery:
    """Return what a feed was asked for."""
    with Fields() as fields:
        device_id = fields.resource(request.device, "device", DEVICES) if request.device else None
        cursor = fields.text(request.cursor, "cursor", most=LONGEST_CURSOR)
        return WatchQuery(cursor, device_id, request.until_checkpoint)


def acknowledgement(request: media_service_pb2.AcknowledgeMediaChangesRequest) -> tuple[UUID, str]:
    """Return which device acknowledges, and the cursor."""
    with Fields() as fields:
        device_id = fields.resource(request.device, "device", DEVICES)
        return device_id, fields.text(request.cursor, "cursor", least=1, most=LONGEST_CURSOR)


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
