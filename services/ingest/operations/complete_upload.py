"""Completion of an upload that is whole: what it is, whether it may stay, what is kept already."""

from collections.abc import Sequence
from dataclasses import replace

from services.chassis.errors import DomainError
from services.chassis.seal import seal_bytes
from services.ingest.content.picture import Picture
from services.ingest.domain.capture_time import CaptureTime, capture_time
from services.ingest.domain.media import Media, MediaForm, MediaMetadata
from services.ingest.domain.metrics import MEDIA_BYTES, MEDIA_STORED, UPLOAD_DURATION
from services.ingest.domain.records import MediaRow, NewSegment, UploadRow
from services.ingest.errors import OutsideWindow, UploadNotFound
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import open_media
from services.ingest.operations.open_keys import open_row_keys, reach_of_older_media
from services.ingest.operations.upload_stream import UploadStream
from services.ingest.ports.outcomes import Completion
from services.keyring import Purpose, metadata_aad
from services.picture_files.capture_time import embedded_time, name_time
from services.picture_files.orientation import UPRIGHT, is_lying, orientation_of

_ATTEMPTS = 3


async def complete(dependencies: Dependencies, stream: UploadStream) -> Media:
    """Make the media and return it; one of the same original that is kept already stays in its place.

    Raises:
        ContentRefused: the bytes are not what was announced, no whole picture, or taken too long ago.
        PurposeNotGranted: the purpose was withdrawn.
        UploadNotFound: the upload was purged meanwhile.
    """
    began = dependencies.clock.monotonic()
    media = await _complete(dependencies, stream)
    dependencies.measurements.measure(UPLOAD_DURATION, dependencies.clock.monotonic() - began)
    return media


async def _complete(dependencies: Dependencies, stream: UploadStream) -> Media:
    metadata = describe(dependencies, stream, stream.verify())
    await _check_time(dependencies, stream, metadata)
    last = await stream.put_last()
    if not stream.lease.is_stored:
        media = await _store_at_once(dependencies, stream, metadata, last)
        if media is not None:
            return media
    for _ in range(_ATTEMPTS):
        media = await _store(dependencies, stream, metadata, last)
        if media is not None:
            return media
    await stream.take_back(last)
    raise UploadNotFound.of(stream.row.id)


def describe(dependencies: Dependencies, stream: UploadStream, picture: Picture) -> MediaMetadata:
    """Return what is known of the media."""
    asset, row = stream.announcement.asset, stream.row
    orientation = orientation_of(stream.blocks.exif, stream.blocks.xmp) if picture.exif_turns else UPRIGHT
    width, height = picture.width, picture.height
    if is_lying(orientation):
        width, height = height, width
    if row.form is MediaForm.REDUCED and asset.width and asset.height:
        width, height = asset.width, asset.height
    taken = _taken(dependencies, stream)
    return MediaMetadata(
        sha256=asset.sha256,
        form=row.form,
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
        capture_time_source=taken.source,
        capture_time_precision=taken.precision,
    )


def _taken(dependencies: Dependencies, stream: UploadStream) -> CaptureTime:
    asset, now = stream.announcement.asset, dependencies.clock.now()
    return capture_time(
        embedded_time(stream.blocks, now),
        name_time(asset.file_name, now),
        asset,
        form=stream.row.form,
        latest=dependencies.policy.window_at(now).latest,
    )


async def _check_time(dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata) -> None:
    """Hold what the camera says against the window; a media that is kept already has passed."""
    row, asset = stream.row, stream.announcement.asset
    window = dependencies.policy.window_at(row.create_time)
    if metadata.capture_time == asset.capture_time or window.holds(metadata.capture_time):
        return
    if row.purpose is Purpose.OLDER_MEDIA and (await reach_of_older_media(dependencies, row.subject)).covers(
        metadata.capture_time
    ):
        return
    if await dependencies.media.find(row.subject, row.media_id) is None:
        raise OutsideWindow.of(window.start)


async def _store_at_once(
    dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata, last: NewSegment
) -> Media | None:
    """Store upload and media in one step; if anything stands in the way the upload alone, for the long way."""
    row = stream.row
    media = _media_row(dependencies, stream, metadata)
    event = dependencies.codec.media_stored(media, [last.segment])
    result = await dependencies.uploads.complete_at_once(
        row, media, last, event, media.upload_time, quota=dependencies.policy.quota
    )
    if result is Completion.STORED:
        stream.lease.is_stored = True
        return _stored(dependencies, media, metadata)
    try:
        await stream.lease.store(stream.row.size_bytes)
    except DomainError:
        await stream.take_back(last)
        raise
    return None


async def _store(
    dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata, last: NewSegment
) -> Media | None:
    """Try to store the media; return None where something stood in the way that does no more."""
    row, now = stream.row, dependencies.clock.now()
    media = _media_row(dependencies, stream, metadata)
    event = dependencies.codec.media_stored(media, [*stream.segments, last.segment])
    match await dependencies.uploads.complete(row, media, last, event, now):
        case Completion.STORED:
            return _stored(dependencies, media, metadata)
        case Completion.GONE:
            await stream.take_back(last)
            raise await stream.lease.lost()
        case Completion.KEPT_ALREADY:
            return await _beside(dependencies, stream, metadata, last)


async def _beside(
    dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata, last: NewSegment
) -> Media | None:
    """Answer by what is kept of the same original: nothing, something dead, a copy to replace, or enough."""
    row = stream.row
    kept = await _kept(dependencies, row)
    if kept is None:
        return None
    keys = await open_row_keys(dependencies, row.subject, [kept])
    if kept.id not in keys or (kept.missing and kept.id != row.media_id):
        await dependencies.media.discard(kept, dependencies.clock.now())
        return None
    if kept.id == row.media_id and (kept.missing or not kept.form.suffices_for(row.form)):
        marked = open_media(dependencies, kept, keys[kept.id]).metadata
        # What the owner said of it here stays, whatever the phone announced.
        metadata = replace(metadata, favorite=marked.favorite, hidden=marked.hidden)
        return await _replace(dependencies, stream, metadata, last, kept)
    await dependencies.uploads.complete_as_duplicate(row, media_id=kept.id, now=dependencies.clock.now())
    await stream.take_back(last)
    return open_media(dependencies, kept, keys[kept.id])


async def _kept(dependencies: Dependencies, row: UploadRow) -> MediaRow | None:
    tagged: Sequence[MediaRow] = await dependencies.media.find_tagged(row.subject, [row.tag])
    return tagged[0] if tagged else await dependencies.media.find(row.subject, row.media_id)


async def _replace(
    dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata, last: NewSegment, kept: MediaRow
) -> Media | None:
    media = replace(
        _media_row(dependencies, stream, metadata),
        upload_time=kept.upload_time,
        metadata_revision=kept.metadata_revision + 1,
    )
    event = dependencies.codec.media_stored(media, [*stream.segments, last.segment])
    result = await dependencies.uploads.replace(stream.row, media, last, event, old=kept, now=dependencies.clock.now())
    if result is not Completion.STORED:
        return None
    return _stored(dependencies, media, metadata)


def _stored(dependencies: Dependencies, media: MediaRow, metadata: MediaMetadata) -> Media:
    of = {"purpose": media.purpose, "form": media.form}
    dependencies.measurements.measure(MEDIA_STORED, 1, of)
    dependencies.measurements.measure(MEDIA_BYTES, media.size_bytes, of)
    return Media(media.id, metadata, media.purpose, media.upload_time, media.delete_time)


def _media_row(dependencies: Dependencies, stream: UploadStream, metadata: MediaMetadata) -> MediaRow:
    row, key_id = stream.row, stream.data_key_id
    return MediaRow(
        id=row.media_id,
        subject=row.subject,
        purpose=row.purpose,
        purpose_revision=row.purpose_revision,
        data_key_id=key_id,
        form=row.form,
        tag=row.tag,
        size_bytes=row.size_bytes,
        sealed_metadata=seal_bytes(stream.key, dependencies.codec.encode_metadata(metadata), metadata_aad(key_id)),
        upload_time=dependencies.clock.now(),
        delete_time=row.delete_time,
    )
