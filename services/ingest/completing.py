"""The making of a media from an upload that is whole: what it is, whether it may stay, what is kept already."""

from collections.abc import Sequence
from dataclasses import replace

from services.chassis.errors import DomainError
from services.chassis.seal import seal_bytes
from services.ingest.capture import capture_time
from services.ingest.content.picture import Picture
from services.ingest.domain import Media, MediaMetadata, Purpose, Rendition, metadata_aad
from services.ingest.exif import read_exif
from services.ingest.intake import Intake
from services.ingest.operations import (
    older_media,
    open_keys,
    open_media,
    open_upload_key,
    outside_window,
    upload_not_found,
)
from services.ingest.ports import Completing, NewSegment
from services.ingest.reception import Reception
from services.ingest.records import MediaRow, UploadRow

_LYING = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""
_ATTEMPTS = 3


async def complete(intake: Intake, reception: Reception) -> Media:
    """Makes the media and returns it; one of the same original that is kept already stays in its place.

    Raises:
        ContentRefused: the bytes are not what was announced, no whole picture, or taken too long ago.
        PurposeNotGranted: the purpose was withdrawn.
        UploadNotFound: the upload was purged meanwhile.
    """
    metadata = describe(intake, reception, reception.verify())
    await _check_time(intake, reception, metadata)
    last = await reception.put_last()
    if not reception.hold.is_stored:
        media = await _store_at_once(intake, reception, metadata, last)
        if media is not None:
            return media
    for _ in range(_ATTEMPTS):
        media = await _store(intake, reception, metadata, last)
        if media is not None:
            return media
    await reception.take_back(last)
    raise upload_not_found(reception.row.id)


def describe(intake: Intake, reception: Reception, picture: Picture) -> MediaMetadata:
    """Returns what is known of the media."""
    asset, row = reception.announcement.asset, reception.row
    exif = read_exif(picture.exif)
    orientation = exif.orientation if picture.exif_turns else 1
    width, height = picture.width, picture.height
    if orientation in _LYING:
        width, height = height, width
    if row.rendition is Rendition.PREVIEW and asset.width and asset.height:
        width, height = asset.width, asset.height
    latest = intake.policy.window_at(intake.clock.now()).latest
    taken = capture_time(exif.moment, asset.capture_time, latest=latest)
    return MediaMetadata(
        sha256=asset.sha256,
        rendition=row.rendition,
        size_bytes=row.size_bytes,
        content_type=picture.media_type,
        width=width,
        height=height,
        orientation=orientation,
        file_name=asset.file_name,
        capture_time=taken.time,
        capture_utc_offset=taken.utc_offset,
        favorite=asset.favorite,
        screenshot=asset.screenshot,
    )


async def _check_time(intake: Intake, reception: Reception, metadata: MediaMetadata) -> None:
    """Holds what the camera says against the window; a media that is kept already has passed."""
    row, asset = reception.row, reception.announcement.asset
    window = intake.policy.window_at(row.create_time)
    if metadata.capture_time == asset.capture_time or window.holds(metadata.capture_time):
        return
    if row.purpose is Purpose.OLDER_MEDIA and (await older_media(intake, row.subject)).covers(metadata.capture_time):
        return
    if await intake.media.find(row.subject, row.media_id) is None:
        raise outside_window(window.start)


async def _store_at_once(
    intake: Intake, reception: Reception, metadata: MediaMetadata, last: NewSegment
) -> Media | None:
    """Stores upload and media in one step; if anything stands in the way the upload alone, for the long way."""
    row = reception.row
    media = _media_row(intake, reception, metadata)
    event = intake.codec.media_stored(media, [last.segment])
    result = await intake.uploads.complete_at_once(
        row, media, last, event, media.upload_time, quota_bytes=intake.policy.quota_bytes
    )
    if result is Completing.STORED:
        reception.hold.is_stored = True
        return _shown(media, metadata)
    try:
        await reception.hold.store()
    except DomainError:
        await reception.take_back(last)
        raise
    return None


async def _store(intake: Intake, reception: Reception, metadata: MediaMetadata, last: NewSegment) -> Media | None:
    """Tries to store the media; returns None where something stood in the way that does no more."""
    row, now = reception.row, intake.clock.now()
    media = _media_row(intake, reception, metadata)
    event = intake.codec.media_stored(media, [*reception.segments, last.segment])
    match await intake.uploads.complete(row, media, last, event, now):
        case Completing.STORED:
            return _shown(media, metadata)
        case Completing.GONE:
            await reception.take_back(last)
            await open_upload_key(intake, row)
            raise upload_not_found(row.id)
        case Completing.KEPT_ALREADY:
            return await _beside(intake, reception, metadata, last)


async def _beside(intake: Intake, reception: Reception, metadata: MediaMetadata, last: NewSegment) -> Media | None:
    """Settles with what is kept of the same original: nothing, something dead, a copy to replace, or enough."""
    row = reception.row
    kept = await _kept(intake, row)
    if kept is None:
        return None
    keys = await open_keys(intake, row.subject, [kept])
    if kept.id not in keys:
        await intake.media.discard(kept, intake.clock.now())
        return None
    if kept.id == row.media_id and not kept.rendition.suffices_for(row.rendition):
        return await _replace(intake, reception, metadata, last, kept)
    await intake.uploads.settle(row, media_id=kept.id, now=intake.clock.now())
    await reception.take_back(last)
    return open_media(intake, kept, keys[kept.id])


async def _kept(intake: Intake, row: UploadRow) -> MediaRow | None:
    tagged: Sequence[MediaRow] = await intake.media.find_tagged(row.subject, [row.tag])
    return tagged[0] if tagged else await intake.media.find(row.subject, row.media_id)


async def _replace(
    intake: Intake, reception: Reception, metadata: MediaMetadata, last: NewSegment, kept: MediaRow
) -> Media | None:
    media = replace(_media_row(intake, reception, metadata), upload_time=kept.upload_time)
    event = intake.codec.media_stored(media, [*reception.segments, last.segment])
    result = await intake.uploads.replace(reception.row, media, last, event, old=kept, now=intake.clock.now())
    if result is not Completing.STORED:
        return None
    return _shown(media, metadata)


def _shown(media: MediaRow, metadata: MediaMetadata) -> Media:
    return Media(media.id, metadata, media.purpose, media.upload_time, media.delete_time)


def _media_row(intake: Intake, reception: Reception, metadata: MediaMetadata) -> MediaRow:
    row, key_id = reception.row, reception.data_key_id
    return MediaRow(
        id=row.media_id,
        subject=row.subject,
        purpose=row.purpose,
        purpose_revision=row.purpose_revision,
        data_key_id=key_id,
        rendition=row.rendition,
        tag=row.tag,
        size_bytes=row.size_bytes,
        sealed_metadata=seal_bytes(reception.key, intake.codec.encode_metadata(metadata), metadata_aad(key_id)),
        upload_time=intake.clock.now(),
        delete_time=row.delete_time,
    )
