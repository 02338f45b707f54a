"""Events that services tell each other, and ingest's sealed message."""

from datetime import UTC, datetime
from uuid import UUID

from pellicule.analysis.v1 import analysis_pb2
from pellicule.internal.analysis.v1 import media_analyzed_pb2
from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from services.analysis.domain.findings import Metadata
from services.analysis.domain.media import MEDIA_PREFIX, MediaState, MetadataUpdate, StoredMedia
from services.analysis.domain.model_set import EXTRA_PURPOSES
from services.chassis.messaging.events import OutgoingEvent
from services.keyring import Purpose
from services.keyring.translation import purpose_of, timestamp


def media_analyzed(
    subject: str, media: UUID, state: MediaState, upload_time: datetime | None = None
) -> OutgoingEvent:  # fmt: skip
    """Return the event that tells of an analysed media, and for the first time when it was uploaded."""
    name = f"{MEDIA_PREFIX}{media}"
    message = media_analyzed_pb2.MediaAnalyzed(
        subject=subject,
        media=name,
        state=analysis_pb2.AnalysisState.Value(f"ANALYSIS_STATE_{state}"),
        upload_time=timestamp(upload_time) if upload_time else None,
    )
    return OutgoingEvent(message.DESCRIPTOR.full_name, name, message.SerializeToString(), person=subject)


def stored_media(message: media_stored_pb2.MediaStored, time: datetime) -> StoredMedia:
    """Read ingest's event of a media that was stored, and when it was."""
    return StoredMedia(
        media=_media(message.media),
        subject=message.subject,
        purpose=purpose_of(message.purpose),
        data_key_id=str(UUID(message.data_key_id)),
        purpose_revision=message.purpose_revision,
        objects=tuple(segment.object for segment in message.segments),
        sealed_metadata=message.sealed_metadata,
        metadata_revision=message.metadata_revision,
        delete_time=message.delete_time.ToDatetime(UTC),
        upload_time=time,
    )


def metadata_update(message: media_stored_pb2.MediaUpdated) -> MetadataUpdate:
    """Read ingest's event of a media that its owner changed."""
    return MetadataUpdate(
        media=_media(message.media),
        subject=message.subject,
        data_key_id=str(UUID(message.data_key_id)),
        sealed_metadata=message.sealed_metadata,
        metadata_revision=message.metadata_revision,
    )


def metadata(body: bytes) -> Metadata:
    """Read ingest's sealed message."""
    message = media_stored_pb2.MediaMetadata.FromString(body)
    known_time, known_offset = message.HasField("capture_time"), message.HasField("capture_utc_offset")
    return Metadata(
        width=message.width,
        height=message.height,
        orientation=message.orientation,
        capture_time=message.capture_time.ToDatetime(UTC) if known_time else None,
        utc_offset=message.capture_utc_offset.ToTimedelta() if known_offset else None,
        favorite=message.favorite,
        screenshot=message.screenshot,
        hidden=message.hidden,
    )


def granted(message: consent_changed_pb2.ConsentChanged) -> tuple[str, list[Purpose]]:
    """Read consent's event: the person, and what was granted that more is learnt for."""
    purposes = {purpose_of(purpose) for purpose in message.granted}
    return message.subject, [purpose for purpose in EXTRA_PURPOSES if purpose in purposes]


def _media(name: str) -> UUID:
    return UUID(name.removeprefix(MEDIA_PREFIX))
