"""What other services tell, read."""

from datetime import UTC, datetime
from uuid import uuid4

from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from pellicule.type.v1 import purpose_pb2
from services.analysis.translation import events
from services.keyring import Purpose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_metadata_without_a_time_has_none() -> None:
    about = events.metadata(media_stored_pb2.MediaMetadata(width=3, height=2, orientation=8).SerializeToString())
    assert (about.width, about.height, about.orientation, about.capture_time, about.utc_offset) == (3, 2, 8, None, None)


def test_what_an_owner_changed_is_read() -> None:
    about = events.metadata(media_stored_pb2.MediaMetadata(favorite=True, hidden=True).SerializeToString())
    assert (about.favorite, about.hidden) == (True, True)


def test_a_media_that_was_stored_is_read() -> None:
    id_, key = uuid4(), uuid4()
    message = media_stored_pb2.MediaStored(
        media=f"media/{id_}",
        purpose=purpose_pb2.PURPOSE_OLDER_MEDIA,
        data_key_id=str(key),
        segments=[media_stored_pb2.ObjectSegment(object="one"), media_stored_pb2.ObjectSegment(object="two")],
        metadata_revision=4,
    )
    found = events.stored_media(message, NOON)
    assert (found.media, found.purpose, found.data_key_id) == (id_, Purpose.OLDER_MEDIA, str(key))
    assert (found.objects, found.metadata_revision, found.upload_time) == (("one", "two"), 4, NOON)


def test_of_what_was_granted_only_that_counts_which_more_is_learnt_for() -> None:
    granted = [purpose_pb2.PURPOSE_CLOUD_PROCESSING, purpose_pb2.PURPOSE_FACE_GROUPING]
    message = consent_changed_pb2.ConsentChanged(subject="a" * 32, granted=granted)
    assert events.granted(message) == ("a" * 32, [Purpose.FACE_GROUPING])
