"""The use cases of an owner who looks: plan, find, list, delete. What moves bytes has modules of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from services.chassis.seal import open_bytes
from services.ingest import selection
from services.ingest.domain import Asset, Media, PageToken, Purpose, Upload, lookup_tag, media_name, metadata_aad
from services.ingest.errors import MediaNotFound, OutsideWindow, UploadNotFound
from services.ingest.intake import Intake
from services.ingest.ports import Erasures
from services.ingest.records import MediaRow, UploadRow
from services.ingest.selection import Known, OlderMedia, PlanItem, Situation
from services.keyring import PurposeNotGranted
from services.keyring.errors import NothingToErase

ORIGINAL = "original"
"""What a media's tag is a digest of."""


async def plan_uploads(
    intake: Intake, *, subject: str, assets: Sequence[Asset], can_make_previews: bool
) -> list[PlanItem]:
    """Says for each asset whether it is wanted, uploads first in order of worth.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    lookup = await intake.lookup.open(subject)
    tags = {asset.sha256: lookup_tag(lookup.key, ORIGINAL, asset.sha256) for asset in assets}
    now = intake.clock.now()
    window = intake.policy.window_at(now)
    needs_older = not all(window.holds(asset.capture_time) for asset in assets)
    used = await intake.media.used_bytes(subject)
    situation = Situation(
        now=now,
        window=window,
        older_media=await older_media(intake, subject) if needs_older else OlderMedia(granted=False),
        known=await _known(intake, subject, tags),
        deleted=await _deleted(intake, subject, tags),
        free_bytes=max(0, intake.policy.quota_bytes - used),
        can_make_previews=can_make_previews,
    )
    return selection.plan(assets, situation, intake.policy.selection)


async def older_media(intake: Intake, subject: str) -> OlderMedia:
    """Returns how far back the person lets us go."""
    try:
        return OlderMedia(granted=True, since=await intake.keyring.reach_back(subject=subject))
    except PurposeNotGranted:
        return OlderMedia(granted=False)


async def get_upload(intake: Intake, *, subject: str, upload_id: UUID) -> Upload:
    """Returns an upload.

    Raises:
        UploadNotFound: the person has none of this name, or its time is over.
    """
    row = await intake.uploads.find(subject, upload_id)
    if row is None or row.expire_time <= intake.clock.now():
        raise upload_not_found(upload_id)
    return row.shown()


async def list_media(
    intake: Intake, *, subject: str, page_size: int, after: PageToken | None
) -> tuple[list[Media], PageToken | None]:
    """Returns a page of media, newest upload first, and where the next begins.

    What no longer opens is left out, so that a page may hold less than it could.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    await intake.lookup.open(subject)
    rows = await intake.media.page(subject, after, page_size + 1)
    last = rows[page_size - 1] if len(rows) > page_size else None
    token = None if last is None else PageToken(last.upload_time, last.id)
    shown = rows[:page_size]
    keys = await open_keys(intake, subject, shown)
    return [open_media(intake, row, keys[row.id]) for row in shown if row.id in keys], token


async def get_media(intake: Intake, *, subject: str, media_id: UUID) -> Media:
    """Returns one media.

    Raises:
        MediaNotFound: the person has none of this name that opens.
    """
    row, key = await find_media(intake, subject, media_id)
    return open_media(intake, row, key)


async def delete_media(intake: Intake, erasures: Erasures, *, subject: str, media_id: UUID, request_id: UUID) -> str:
    """Erases a media with all that derives from it, and returns the erasure's name once the keys are destroyed.

    Raises:
        MediaNotFound: the person has none of this name.
    """
    row = await intake.media.find(subject, media_id)
    if row is None and not await intake.media.was_deleted(subject, media_id):
        raise media_not_found(media_id)
    try:
        return await erasures.erase_media(subject=subject, media=media_name(media_id), request_id=request_id)
    except NothingToErase as error:
        raise media_not_found(media_id) from error


async def find_media(intake: Intake, subject: str, media_id: UUID) -> tuple[MediaRow, bytes]:
    """Returns a media's row and key.

    Raises:
        MediaNotFound: the person has none of this name that opens.
    """
    row = await intake.media.find(subject, media_id)
    key = None if row is None else (await open_keys(intake, subject, [row])).get(row.id)
    if row is None or key is None:
        raise media_not_found(media_id)
    return row, key


async def open_keys(intake: Intake, subject: str, rows: Sequence[MediaRow]) -> dict[UUID, bytes]:
    """Returns the keys of those media that still open, a request for each purpose."""
    opened: dict[UUID, bytes] = {}
    for purpose, group in groupby(sorted(rows, key=lambda row: row.purpose), key=lambda row: row.purpose):
        of_purpose = list(group)
        ids = [str(row.data_key_id) for row in of_purpose]
        keys = await _open(intake, subject, purpose, ids)
        opened |= {row.id: keys[str(row.data_key_id)] for row in of_purpose if str(row.data_key_id) in keys}
    return opened


def open_media(intake: Intake, row: MediaRow, key: bytes) -> Media:
    """Returns a media as its owner sees it."""
    metadata = intake.codec.decode_metadata(open_bytes(key, row.sealed_metadata, metadata_aad(row.data_key_id)))
    return Media(row.id, metadata, row.purpose, row.upload_time, row.delete_time)


async def open_upload_key(intake: Intake, row: UploadRow) -> tuple[UUID, bytes]:
    """Returns the id and the key of an open upload; asked for with every chunk, so that a withdrawal stops the work.

    Raises:
        PurposeNotGranted: the purpose was withdrawn.
        UploadNotFound: the upload's key was destroyed.
    """
    if row.data_key_id is not None:
        id_ = str(row.data_key_id)
        keys = await intake.keyring.open(subject=row.subject, purpose=row.purpose, ids=[id_])
        if id_ in keys:
            return row.data_key_id, keys[id_]
    raise upload_not_found(row.id)


def media_not_found(media_id: UUID) -> MediaNotFound:
    """Returns the error for a media that does not exist for the caller."""
    name = media_name(media_id)
    return MediaNotFound(f"there is no {name}: look at ListMedia for what is kept", metadata={"media": name})


def upload_not_found(upload_id: UUID) -> UploadNotFound:
    """Returns the error for an upload that does not exist for the caller."""
    name = f"uploads/{upload_id}"
    return UploadNotFound(f"there is no open {name}: start the upload again", metadata={"upload": name})


def outside_window(window_start: datetime) -> OutsideWindow:
    """Returns the error for what was taken before the window and before what OLDER_MEDIA reaches back to."""
    return OutsideWindow(
        "it was taken before the window: let OLDER_MEDIA reach back to it, or leave it on the phone",
        metadata={"window_start_time": window_start.isoformat()},
    )


async def _open(intake: Intake, subject: str, purpose: Purpose, ids: Sequence[str]) -> Mapping[str, bytes]:
    try:
        return await intake.keyring.open(subject=subject, purpose=purpose, ids=ids)
    except PurposeNotGranted:
        return {}


async def _known(intake: Intake, subject: str, tags: Mapping[bytes, bytes]) -> dict[bytes, Known]:
    rows = await intake.media.find_tagged(subject, tags.values())
    keys = await open_keys(intake, subject, rows)
    by_tag = {row.tag: Known(row.id, row.rendition, row.original_wanted) for row in rows if row.id in keys}
    return {sha256: by_tag[tag] for sha256, tag in tags.items() if tag in by_tag}


async def _deleted(intake: Intake, subject: str, tags: Mapping[bytes, bytes]) -> set[bytes]:
    deleted = await intake.media.deleted_tags(subject, tags.values())
    return {sha256 for sha256, tag in tags.items() if tag in deleted}
