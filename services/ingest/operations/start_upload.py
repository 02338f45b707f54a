"""Start of an upload: everything that can be refused before a byte is sent is refused here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import seal_bytes
from services.ingest.domain.media import Announcement, Asset, MediaForm, Upload, media_name
from services.ingest.domain.records import MediaRow, UploadRow
from services.ingest.domain.seals import ORIGINAL, announcement_aad, lookup_tag
from services.ingest.errors import (
    MediaEmpty,
    MediaNotFound,
    MediaTooLarge,
    MediaTooManyPixels,
    OutsideWindow,
    QuotaExceeded,
    RequestIdReused,
)
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.key_pool import MediaKey
from services.ingest.operations.open_keys import open_row_keys, reach_of_older_media
from services.ingest.operations.upload_lease import refusal
from services.ingest.ports import Survey
from services.ingest.ports.outcomes import Addition
from services.keyring import DataKey, MediaErased, NewDataKey, Purpose, PurposeNotGranted

_ATTEMPTS = 3
_RETRY_AFTER = timedelta(seconds=1)


@dataclass(frozen=True)
class _Request:
    """A request with the tags of what it says."""

    subject: str
    request_id: UUID
    announcement: Announcement
    now: datetime
    tag: bytes
    bytes_tag: bytes
    request_tag: bytes


@dataclass(frozen=True)
class Prepared:
    """An upload that may begin.

    Attributes:
        row: As it is stored, or will be.
        announcement: What was announced.
        key: Its new key; None if the upload was there already.
    """

    row: UploadRow
    announcement: Announcement
    key: DataKey | None = None


async def start_upload(
    dependencies: Dependencies, *, subject: str, request_id: UUID, announcement: Announcement
) -> Upload:
    """Open an upload, or return the one that the request opened, or that is open for the same bytes.

    What is kept already is answered by an upload that is complete. Raises what `prepare` raises.
    """
    for _ in range(_ATTEMPTS):
        prepared = await prepare(dependencies, subject=subject, request_id=request_id, announcement=announcement)
        if prepared.key is None:
            return prepared.row.to_upload(announcement.asset.client_id)
        added = await dependencies.uploads.add(prepared.row, quota=dependencies.policy.quota)
        if added is Addition.ADDED:
            return prepared.row.to_upload(announcement.asset.client_id)
        await dependencies.background.run(_destroy(dependencies, subject, prepared.key))
        if added is not Addition.TAKEN:
            raise refusal(prepared.row, added, quota=dependencies.policy.quota)
    raise DependencyUnavailable("the upload changes too fast: call again", retry_after=_RETRY_AFTER)


async def prepare(
    dependencies: Dependencies, *, subject: str, request_id: UUID, announcement: Announcement
) -> Prepared:
    """Find out whether an upload may begin, and make its key if it is a new one; nothing is stored yet.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted, or OLDER_MEDIA for what was taken before the window.
        OutsideWindow: OLDER_MEDIA does not reach back to it.
        ContentRefused: the asset is empty or too large.
        QuotaExceeded: the person's share of the store is used up.
        RequestIdReused: the request_id was used for another request.
        LimitReached: the person has begun too many today.
    """
    _check_size(dependencies, announcement)
    dependencies.uploads_a_day.spend(subject)
    async with dependencies.steps.turn():
        return await _prepare(dependencies, subject, request_id, announcement)


async def _prepare(dependencies: Dependencies, subject: str, request_id: UUID, announcement: Announcement) -> Prepared:
    lookup_key = await dependencies.lookup_keys.open(subject)
    request = _request(lookup_key, subject, request_id, announcement, dependencies.clock.now())
    survey = await dependencies.uploads.survey(subject, request_id, bytes_tag=request.bytes_tag, tag=request.tag)
    earlier = await _earlier(dependencies, request, survey)
    if earlier is not None:
        return Prepared(earlier, announcement)
    known = await _alive(dependencies, subject, survey)
    if known is not None and not known.missing and known.form.suffices_for(announcement.form):
        return Prepared(await _complete_row(dependencies, request, known), announcement)
    purpose = known.purpose if known else await _purpose(dependencies, subject, announcement.asset, request.now)
    if not dependencies.policy.quota.has_room(survey.used, announcement.size_bytes):
        raise QuotaExceeded.of(dependencies.policy.quota_bytes)
    taken = announcement.asset.capture_time if purpose is Purpose.OLDER_MEDIA else None
    made = await _new_key(dependencies, subject, purpose, known, taken)
    return Prepared(_sealed(_row(dependencies, request, purpose, made), made.key, announcement), announcement, made.key)


def _check_size(dependencies: Dependencies, announcement: Announcement) -> None:
    asset, policy = announcement.asset, dependencies.policy
    if not announcement.size_bytes or not asset.size_bytes:
        raise MediaEmpty.of().about(asset.file_name)
    if announcement.size_bytes > policy.max_bytes:
        raise MediaTooLarge.of(announcement.size_bytes, limit_bytes=policy.max_bytes).about(asset.file_name)
    # Of a reduced copy the sides are those of its original: the copy's own are checked as it comes.
    if announcement.form is MediaForm.ORIGINAL and asset.width and asset.height:
        try:
            policy.limits.check(asset.width, asset.height)
        except MediaTooManyPixels as error:
            raise error.about(asset.file_name) from None


def _request(lookup_key: bytes, subject: str, request_id: UUID, announcement: Announcement, now: datetime) -> _Request:
    same_bytes = f"{announcement.form}|{announcement.size_bytes}|".encode() + announcement.sha256
    return _Request(
        subject=subject,
        request_id=request_id,
        announcement=announcement,
        now=now,
        tag=lookup_tag(lookup_key, ORIGINAL, announcement.asset.sha256),
        bytes_tag=lookup_tag(lookup_key, "bytes", announcement.asset.sha256 + same_bytes),
        request_tag=lookup_tag(lookup_key, "request", announcement.to_bytes()),
    )


async def _destroy(dependencies: Dependencies, subject: str, key: DataKey) -> None:
    await dependencies.keyring.destroy(subject=subject, ids=[key.id])


async def _earlier(dependencies: Dependencies, request: _Request, survey: Survey) -> UploadRow | None:
    """Return the upload that this request opened or that takes the same bytes; one that is over is given up."""
    if survey.request_taken:
        raise RequestIdReused.of(request.request_id)
    for row in survey.earlier:
        if row.expire_time <= request.now or not await _can_go_on(dependencies, row):
            await dependencies.uploads.discard(request.subject, row.id, request.now)
        elif row.request_id == request.request_id and row.request_tag != request.request_tag:
            raise RequestIdReused.of(request.request_id)
        else:
            return row
    return None


async def _can_go_on(dependencies: Dependencies, row: UploadRow) -> bool:
    """Tells whether the key still opens, or the media made of it does."""
    if row.complete_time is not None or row.data_key_id is None:
        media = await dependencies.media.find(row.subject, row.media_id)
        if media is None or media.missing:
            return False
        return bool(await open_row_keys(dependencies, row.subject, [media]))
    id_ = str(row.data_key_id)
    try:
        return id_ in await dependencies.keyring.open(subject=row.subject, purpose=row.purpose, ids=[id_])
    except PurposeNotGranted:
        return False


async def _alive(dependencies: Dependencies, subject: str, survey: Survey) -> MediaRow | None:
    """Return the media of the same original, if one is kept that opens."""
    keys = await open_row_keys(dependencies, subject, survey.kept)
    return next((row for row in survey.kept if row.id in keys), None)


async def _purpose(dependencies: Dependencies, subject: str, asset: Asset, now: datetime) -> Purpose:
    window = dependencies.policy.window_at(now)
    if window.holds(asset.capture_time):
        return Purpose.CLOUD_PROCESSING
    reach = await reach_of_older_media(dependencies, subject)
    if not reach.granted:
        raise PurposeNotGranted(
            f"{asset.file_name or 'the file'}: it was taken before the window, which needs OLDER_MEDIA: grant it first",
            metadata={"purpose": Purpose.OLDER_MEDIA},
        )
    if not reach.covers(asset.capture_time):
        raise OutsideWindow.of(window.start).about(asset.file_name)
    return Purpose.OLDER_MEDIA


async def _complete_row(dependencies: Dependencies, request: _Request, known: MediaRow) -> UploadRow:
    kept = MediaKey(known.id, DataKey("", b"", known.purpose_revision), known.delete_time)
    row = replace(
        _row(dependencies, request, known.purpose, kept),
        committed_bytes=request.announcement.size_bytes,
        chunked_bytes=request.announcement.size_bytes,
        complete_time=request.now,
    )
    quota = dependencies.policy.quota
    if await dependencies.uploads.add_complete(row, quota=quota) is Addition.NO_ROOM:
        raise QuotaExceeded.of(quota.size_bytes)
    return row


async def _new_key(
    dependencies: Dependencies, subject: str, purpose: Purpose, known: MediaRow | None, taken: datetime | None
) -> MediaKey:
    """Return the key of a new media, or another one of a media whose reduced copy is to be replaced."""
    if known is None:
        return await dependencies.key_pool.take(subject=subject, purpose=purpose, taken=taken)
    new = NewDataKey(delete_by=known.delete_time, lineage=(media_name(known.id),), capture_time=taken)
    try:
        [key] = await dependencies.keyring.create(subject=subject, purpose=purpose, keys=[new])
    except MediaErased as error:
        raise MediaNotFound.of(known.id) from error
    return MediaKey(known.id, key, known.delete_time)


def _row(dependencies: Dependencies, request: _Request, purpose: Purpose, made: MediaKey) -> UploadRow:
    """Return the row of an upload, without what is sealed."""
    return UploadRow(
        id=uuid4(),
        subject=request.subject,
        request_id=request.request_id,
        request_tag=request.request_tag,
        media_id=made.media_id,
        purpose=purpose,
        purpose_revision=made.key.purpose_revision,
        data_key_id=None,
        form=request.announcement.form,
        tag=request.tag,
        bytes_tag=request.bytes_tag,
        size_bytes=request.announcement.size_bytes,
        writer=0,
        committed_bytes=0,
        chunked_bytes=0,
        seal_prefix=None,
        sealed_announcement=b"",
        create_time=request.now,
        expire_time=request.now + dependencies.policy.upload_life,
        delete_time=made.delete_time,
    )


def _sealed(row: UploadRow, key: DataKey, announcement: Announcement) -> UploadRow:
    data_key_id = UUID(key.id)
    return replace(
        row,
        data_key_id=data_key_id,
        sealed_announcement=seal_bytes(key.key, announcement.to_bytes(), announcement_aad(data_key_id)),
    )
