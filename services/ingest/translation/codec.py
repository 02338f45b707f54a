"""Codec of what this service seals and says to the others: the internal contract's messages."""

from collections.abc import Sequence
from datetime import UTC

from google.protobuf.duration_pb2 import Duration

from pellicule.ingest.v1 import media_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.media import MediaForm, MediaMetadata, media_name
from services.ingest.domain.records import MediaRow, Segment
from services.ingest.translation import capture_time
from services.keyring.translation import purpose_number, timestamp

_FORM_PREFIX = "MEDIA_FORM_"


class ProtoCodec:
    """Implements `ports.Codec` with the internal contract's messages."""

    def encode_metadata(self, metadata: MediaMetadata) -> bytes:
        """Return metadata in the form in which it is sealed."""
        return metadata_message(metadata).SerializeToString()

    def decode_metadata(self, data: bytes) -> MediaMetadata:
        """Read what `encode_metadata` wrote."""
        message = media_stored_pb2.MediaMetadata.FromString(data)
        return MediaMetadata(
            sha256=message.sha256,
            form=MediaForm(media_pb2.MediaForm.Name(message.form).removeprefix(_FORM_PREFIX)),
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
            hidden=message.hidden,
            capture_time_source=capture_time.source(message.capture_time_source),
            capture_time_precision=capture_time.precision(message.capture_time_precision),
        )

    def media_stored(self, media: MediaRow, segments: Sequence[Segment]) -> OutgoingEvent:
        """Return the event that tells of a media."""
        body = media_stored_pb2.MediaStored(
            media=media_name(media.id),
            subject=media.subject,
            purpose=purpose_number(media.purpose),
            data_key_id=str(media.data_key_id),
            purpose_revision=media.purpose_revision,
            segments=[
                media_stored_pb2.ObjectSegment(object=segment.object, size_bytes=segment.size_bytes)
                for segment in segments
            ],
            sealed_metadata=media.sealed_metadata,
            delete_time=timestamp(media.delete_time),
            metadata_revision=media.metadata_revision,
        )
        return _event(body, media)

    def media_updated(self, media: MediaRow) -> OutgoingEvent:
        """Return the event that tells what is known of a media now."""
        body = media_stored_pb2.MediaUpdated(
            media=media_name(media.id),
            subject=media.subject,
            data_key_id=str(media.data_key_id),
            sealed_metadata=media.sealed_metadata,
            metadata_revision=media.metadata_revision,
        )
        return _event(body, media)


def metadata_message(metadata: MediaMetadata) -> media_stored_pb2.MediaMetadata:
    """Return metadata as the message that is sealed."""
    message = media_stored_pb2.MediaMetadata(
        sha256=metadata.sha256,
        form=media_pb2.MediaForm.Value(f"{_FORM_PREFIX}{metadata.form}"),
        size_bytes=metadata.size_bytes,
        content_type=metadata.content_type,
        width=metadata.width,
        height=metadata.height,
        orientation=metadata.orientation,
        file_name=metadata.file_name,
        favorite=metadata.favorite,
        screenshot=metadata.screenshot,
        hidden=metadata.hidden,
        capture_time_source=capture_time.source_number(metadata.capture_time_source),
        capture_time_precision=capture_time.precision_number(metadata.capture_time_precision),
    )
    if metadata.capture_time is not None:
        message.capture_time.CopyFrom(timestamp(metadata.capture_time))
    if metadata.capture_utc_offset is not None:
        offset = Duration()
        offset.FromTimedelta(metadata.capture_utc_offset)
        message.capture_utc_offset.CopyFrom(offset)
    return message


def _event(body: media_stored_pb2.MediaStored | media_stored_pb2.MediaUpdated, media: MediaRow) -> OutgoingEvent:
    return OutgoingEvent(
        type=body.DESCRIPTOR.full_name,
        subject=media_name(media.id),
        body=body.SerializeToString(),
        person=media.subject,
    )
