"""The opening of an upload: everything that can be refused before a byte is sent is refused here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.chassis.errors import DomainError
from services.chassis.seal import seal_bytes
from services.ingest.domain import (
    Announcement,
    Asset,
    Purpose,
    Upload,
    announcement_aad,
    lookup_tag,
    media_name,
    upload_name,
)
from services.ingest.errors import (
    MediaEmpty,
    MediaTooLarge,
    MediaTooManyPixels,
    QuotaExceeded,
    RequestIdReused,
    UploadInProgress,
)
from services.ingest.intake import Intake
from services.ingest.key_pool import MediaKey
from services.ingest.operations import ORIGINAL, media_not_found, older_media, open_keys, outside_window
from services.ingest.ports import Adding, Survey
from services.ingest.records import MediaRow, UploadRow
from services.keyring import DataKey, MediaErased, NewDataKey, PurposeNotGranted

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


async def start_upload(intake: Intake, *, subject: str, request_id: UUID, announcement: Announcement) -> Upload:
    """Opens an upload, or returns the one that the request opened, or that is open for the same bytes.

    What is kept already is answered by an upload that is complete. Raises what `prepare` raises.
    """
    for _ in range(_ATTEMPTS):
        prepared = await prepare(intake, subject=subject, request_id=request_id, announcement=announcement)
        if prepared.key is None:
            return prepared.row.shown()
        added = await intake.uploads.add(prepared.row, quota_bytes=intake.policy.quota_bytes)
        if added is Adding.ADDED:
            return prepared.row.shown()
        await intake.keyring.destroy(subject=subject, ids=[prepared.key.id])
        if added is not Adding.TAKEN:
            raise refusal(intake, prepared.row, added)
    raise refusal(intake, prepared.row, Adding.TAKEN)


async def prepare(intake: Intake, *, subject: str, request_id: UUID, announcement: Announcement) -> Prepared:
    """Finds out whether an upload may begin, and makes its key if it is a new one; nothing is stored yet.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted, or OLDER_MEDIA for what was taken before the window.
        OutsideWindow: OLDER_MEDIA does not reach back to it.
        ContentRefused: the asset is empty or too large.
        QuotaExceeded: the person's share of the store is used up.
        RequestIdReused: the request_id was used for another request.
    """
    _check_size(intake, announcement)
    lookup = await intake.lookup.open(subject)
    request = _request(lookup.key, subject, request_id, announcement, intake.clock.now())
    survey = await intake.uploads.survey(subject, request_id, bytes_tag=request.bytes_tag, tag=request.tag)
    earlier = await _earlier(intake, request, survey)
    if earlier is not None:
        return Prepared(earlier, announcement)
    known = await _alive(intake, subject, survey)
    if known is not None and known.rendition.suffices_for(announcement.rendition):
        return Prepared(await _settled(intake, request, known), announcement)
    purpose = known.purpose if known else await _purpose(intake, subject, announcement.asset, request.now)
    if survey.used_bytes + announcement.size_bytes > intake.policy.quota_bytes:
        raise no_room(intake)
    made = await _new_key(intake, subject, purpose, known)
    return Prepared(_sealed(_row(intake, request, purpose, made), made.key, announcement), announcement, made.key)


def refusal(intake: Intake, row: UploadRow, adding: Adding) -> DomainError:
    """Returns the error for an upload that the store did not take."""
    if adding is Adding.NO_ROOM:
        return no_room(intake)
    if adding is Adding.TAKEN:
        return upload_in_progress(row.id)
    return PurposeNotGranted(f"{row.purpose} was withdrawn: grant it first", metadata={"purpose": row.purpose})


def no_room(intake: Intake) -> QuotaExceeded:
    """Returns the error for a share of the store that is used up."""
    quota = intake.policy.quota_bytes
    return QuotaExceeded(
        f"your share of {quota} bytes is used up: delete media, or wait until some expire",
        metadata={"quota_bytes": str(quota)},
    )


def upload_in_progress(upload_id: UUID) -> UploadInProgress:
    """Returns the error for a second writer."""
    name = upload_name(upload_id)
    return UploadInProgress(
        f"another stream is writing {name}: wait until it ends", metadata={"upload": name}, retry_after=_RETRY_AFTER
    )


def _check_size(intake: Intake, announcement: Announcement) -> None:
    asset, policy = announcement.asset, intake.policy
    if not announcement.size_bytes or not asset.size_bytes:
        raise MediaEmpty("it has no bytes: send a file that has some").about(asset.file_name)
    size = max(announcement.size_bytes, asset.size_bytes)
    if size > policy.max_bytes:
        raise MediaTooLarge(
            f"it has {size} bytes: at most {policy.max_bytes} are taken",
            metadata={"size_bytes": str(size), "limit_bytes": str(policy.max_bytes)},
        ).about(asset.file_name)
    if asset.width and asset.height:
        try:
            policy.limits.check(asset.width, asset.height)
        except MediaTooManyPixels as error:
            raise error.about(asset.file_name) from None


def _request(lookup_key: bytes, subject: str, request_id: UUID, announcement: Announcement, now: datetime) -> _Request:
    same_bytes = f"{announcement.rendition}|{announcement.size_bytes}|".encode() + announcement.sha256
    return _Request(
        subject=subject,
        request_id=request_id,
        announcement=announcement,
        now=now,
        tag=lookup_tag(lookup_key, ORIGINAL, announcement.asset.sha256),
        bytes_tag=lookup_tag(lookup_key, "bytes", announcement.asset.sha256 + same_bytes),
        request_tag=lookup_tag(lookup_key, "request", announcement.to_bytes()),
    )


async def _earlier(intake: Intake, request: _Request, survey: Survey) -> UploadRow | None:
    """Returns the upload that this request opened or that takes the same bytes; one that is over is given up."""
    for row in survey.earlier:
        if row.expire_time <= request.now or not await _can_go_on(intake, row):
            await intake.uploads.discard(request.subject, row.id, request.now)
        elif row.request_id == request.request_id and row.request_tag != request.request_tag:
            raise RequestIdReused(
                "request_id was used for another upload: make a new UUID for each",
                metadata={"request_id": str(request.request_id)},
            )
        else:
            return row
    return None


async def _can_go_on(intake: Intake, row: UploadRow) -> bool:
    """Tells whether the key still opens, or the media made of it is still there."""
    if row.complete_time is not None or row.data_key_id is None:
        return await intake.media.find(row.subject, row.media_id) is not None
    id_ = str(row.data_key_id)
    try:
        return id_ in await intake.keyring.open(subject=row.subject, purpose=row.purpose, ids=[id_])
    except PurposeNotGranted:
        return False


async def _alive(intake: Intake, subject: str, survey: Survey) -> MediaRow | None:
    """Returns the media of the same original, if one is kept that opens."""
    keys = await open_keys(intake, subject, survey.kept)
    return next((row for row in survey.kept if row.id in keys), None)


async def _purpose(intake: Intake, subject: str, asset: Asset, now: datetime) -> Purpose:
    window = intake.policy.window_at(now)
    if window.holds(asset.capture_time):
        return Purpose.CLOUD_PROCESSING
    reach = await older_media(intake, subject)
    if not reach.granted:
        raise PurposeNotGranted(
            f"{asset.file_name or 'the file'}: it was taken before the window, which needs OLDER_MEDIA: grant it first",
            metadata={"purpose": Purpose.OLDER_MEDIA},
        )
    if not reach.covers(asset.capture_time):
        raise outside_window(window.start).about(asset.file_name)
    return Purpose.OLDER_MEDIA


async def _settled(intake: Intake, request: _Request, known: MediaRow) -> UploadRow:
    kept = MediaKey(known.id, DataKey("", b"", known.purpose_revision), known.delete_time)
    row = replace(
        _row(intake, request, known.purpose, kept),
        committed_bytes=request.announcement.size_bytes,
        complete_time=request.now,
    )
    await intake.uploads.add_settled(row)
    return row


async def _new_key(intake: Intake, subject: str, purpose: Purpose, known: MediaRow | None) -> MediaKey:
    """Returns the key of a new media, or another one of a media whose reduced copy is to be replaced."""
    if known is None:
        return await intake.keys.take(subject=subject, purpose=purpose)
    new = NewDataKey(delete_by=known.delete_time, lineage=(media_name(known.id),))
    try:
        [key] = await intake.keyring.create(subject=subject, purpose=purpose, keys=[new])
    except MediaErased as error:
        raise media_not_found(known.id) from error
    return MediaKey(known.id, key, known.delete_time)


def _row(intake: Intake, request: _Request, purpose: Purpose, made: MediaKey) -> UploadRow:
    """Returns the row of an upload, without what is sealed."""
    return UploadRow(
        id=uuid4(),
        subject=request.subject,
        request_id=request.request_id,
        request_tag=request.request_tag,
        media_id=made.media_id,
        purpose=purpose,
        purpose_revision=made.key.purpose_revision,
        data_key_id=None,
        rendition=request.announcement.rendition,
        tag=request.tag,
        bytes_tag=request.bytes_tag,
        size_bytes=request.announcement.size_bytes,
        committed_bytes=0,
        seal_prefix=None,
        sealed_announcement=b"",
        create_time=request.now,
        expire_time=request.now + intake.policy.upload_life,
        delete_time=made.delete_time,
    )


def _sealed(row: UploadRow, key: DataKey, announcement: Announcement) -> UploadRow:
    data_key_id = UUID(key.id)
    return replace(
        row,
        data_key_id=data_key_id,
        sealed_announcement=seal_bytes(key.key, announcement.to_bytes(), announcement_aad(data_key_id)),
    )
