"""What a person may know of their own pictures: opened in memory, grouped, and gone again."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.analysis.domain import EXTRA_PURPOSES, MEDIA_PREFIX, MediaState, PreviewSize, Purpose
from services.analysis.duplicates import Shot, duplicate_groups
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.findings import Analysis, Parked, Seen
from services.analysis.model_set import scene_encoder
from services.analysis.ports import Library, MediaStatus, SealedFindings, StoredPreview
from services.analysis.records import load_place, load_seen, load_templates, record_aad
from services.chassis.object_store import ObjectMissing, ObjectStore
from services.chassis.seal import SealBroken, open_bytes, open_object
from services.keyring import Keyring, PurposeNotGranted

PREVIEW_DELAY = timedelta(seconds=1)


@dataclass(frozen=True)
class _Stored:
    """A person's rows, and the keys that open them."""

    statuses: Sequence[MediaStatus]
    findings: Sequence[SealedFindings]
    keys: Mapping[Purpose, Mapping[str, bytes]]


async def list_analyses(subject: str, *, library: Library, keyring: Keyring) -> list[Analysis]:
    """Returns what is known of every media of a person, in the order of capture, those without a time last.

    Media that can no longer be opened are left out; so is every finding of a purpose that is not granted. Pending and
    parked media come last.

    Raises:
        PurposeNotGranted: the person does not allow any processing.
    """
    return await asyncio.to_thread(_grouped, await _stored(subject, library, keyring))


async def open_analyses(subject: str, *, library: Library, keyring: Keyring) -> list[Analysis]:
    """Returns what is known of every media of a person, in no order and without groups.

    Raises:
        PurposeNotGranted: the person does not allow any processing.
    """
    return await asyncio.to_thread(_assemble, await _stored(subject, library, keyring))


async def get_analysis(subject: str, media: UUID, *, library: Library, keyring: Keyring) -> Analysis:
    """Returns what is known of one media.

    Its group depends on all other media of the person, so they are opened as well.

    Raises:
        MediaNotFound: the person has no such media, or it can no longer be opened.
    """
    if await library.status(subject, media) is None:
        raise _not_found(media)
    try:
        everything = await list_analyses(subject, library=library, keyring=keyring)
    except PurposeNotGranted:
        raise _not_found(media) from None
    found = next((analysis for analysis in everything if analysis.media == media), None)
    if found is None:
        raise _not_found(media)
    return found


async def read_preview(
    subject: str,
    media: UUID,
    size: PreviewSize,
    *,
    library: Library,
    keyring: Keyring,
    objects: ObjectStore,
    bucket: str,
) -> bytes:
    """Returns a reduced copy of a media as JPEG.

    Raises:
        MediaNotFound: the person has no such media, or it can no longer be opened.
        MediaParked: it could not be understood, and has none.
        PreviewNotReady: it is still waiting.
    """
    status = await library.status(subject, media)
    preview = await library.preview(subject, media, size)
    if status is None:
        raise _not_found(media)
    key_id = str(status.data_key_id if preview is None else preview.data_key_id)
    key = await _open_key(subject, status.purpose, key_id, keyring)
    if key is None:
        raise _not_found(media)
    if preview is None:
        raise _no_preview(status)
    return await _open_preview(preview, key, status.purpose, objects, bucket)


async def _stored(subject: str, library: Library, keyring: Keyring) -> _Stored:
    statuses, findings = await asyncio.gather(library.statuses(subject), library.findings(subject))
    return _Stored(statuses, findings, await _open_keys(subject, statuses, findings, keyring))


async def _open_preview(
    preview: StoredPreview, key: bytes, purpose: Purpose, objects: ObjectStore, bucket: str
) -> bytes:
    try:
        pieces = objects.stream(bucket, preview.object, preview.byte_offset, preview.byte_count)
        sealed = b"".join([piece async for piece in pieces])
        return open_object(key, sealed, record_aad(str(preview.data_key_id), purpose))
    except (ObjectMissing, SealBroken):
        # It was replaced or deleted between the row and the object.
        raise _not_found(preview.media_id) from None


async def _open_key(subject: str, purpose: Purpose, id_: str, keyring: Keyring) -> bytes | None:
    try:
        return (await keyring.open(subject=subject, purpose=purpose, ids=[id_])).get(id_)
    except PurposeNotGranted:
        return None


async def _open_keys(
    subject: str, statuses: Sequence[MediaStatus], findings: Sequence[SealedFindings], keyring: Keyring
) -> dict[Purpose, Mapping[str, bytes]]:
    """Opens the keys of everything in one batch for each purpose."""
    ids: defaultdict[Purpose, list[str]] = defaultdict(list)
    for row in findings:
        ids[Purpose(row.purpose)].append(str(row.data_key_id))
    for status in statuses:
        # Nothing is sealed here yet for a media that waits: the key of its original tells whether it still exists.
        if status.state is MediaState.PENDING:
            ids[status.purpose].append(str(status.data_key_id))
    keys: dict[Purpose, Mapping[str, bytes]] = {
        Purpose.CLOUD_PROCESSING: await keyring.open(
            subject=subject, purpose=Purpose.CLOUD_PROCESSING, ids=ids[Purpose.CLOUD_PROCESSING]
        )
    }
    for purpose in (Purpose.OLDER_MEDIA, *EXTRA_PURPOSES):
        try:
            if ids[purpose]:
                keys[purpose] = await keyring.open(subject=subject, purpose=purpose, ids=ids[purpose])
        except PurposeNotGranted:
            continue
    return keys


def _assemble(stored: _Stored) -> list[Analysis]:
    """Opens the records."""
    records: defaultdict[UUID, dict[Purpose, SealedFindings]] = defaultdict(dict)
    for row in stored.findings:
        records[row.media_id][Purpose(row.purpose)] = row
    opened = (_analysis(status, records[status.id], stored.keys) for status in stored.statuses)
    return [analysis for analysis in opened if analysis is not None]


def _grouped(stored: _Stored) -> list[Analysis]:
    """Opens the records, groups what looks alike, and sorts."""
    analyses = _assemble(stored)
    groups = duplicate_groups([_shot(each, each.seen) for each in analyses if each.seen is not None])
    grouped = (replace(each, duplicate_group=groups.get(each.media)) for each in analyses)
    return sorted(grouped, key=_order)


def _analysis(
    status: MediaStatus, records: Mapping[Purpose, SealedFindings], keys: Mapping[Purpose, Mapping[str, bytes]]
) -> Analysis | None:
    """Opens what is known of one media; None if it can no longer be opened."""
    bare = Analysis(status.id, status.state, analyze_time=status.analyze_time, delete_time=status.delete_time)
    own = _opened(records.get(status.purpose), keys)
    if own is None:
        waits = str(status.data_key_id) in keys.get(status.purpose, {})
        return bare if waits and status.state is MediaState.PENDING else None
    seen = load_seen(own)
    if isinstance(seen, Parked):
        return replace(bare, parked=seen if status.state is MediaState.PARKED else None)
    place, templates = (_opened(records.get(purpose), keys) for purpose in EXTRA_PURPOSES)
    made_by = [records[purpose].models for purpose in records if _opened(records[purpose], keys) is not None]
    return replace(
        bare,
        models=tuple(sorted({model for models in made_by for model in models.split(",")})),
        seen=seen,
        place=None if place is None else load_place(place),
        templates=None if templates is None else load_templates(templates),
    )


def _opened(row: SealedFindings | None, keys: Mapping[Purpose, Mapping[str, bytes]]) -> bytes | None:
    if row is None:
        return None
    id_ = str(row.data_key_id)
    key = keys.get(Purpose(row.purpose), {}).get(id_)
    return None if key is None else open_bytes(key, row.sealed, record_aad(id_, row.purpose))


def _shot(analysis: Analysis, seen: Seen) -> Shot:
    time, encoder = seen.metadata.capture_time, scene_encoder(analysis.models)
    return Shot(analysis.media, time, seen.perceptual_hash, seen.embedding, seen.kind, encoder)


def _order(analysis: Analysis) -> tuple[int, float, str]:
    seen = analysis.seen
    if seen is None:
        return 2 if analysis.state is MediaState.PARKED else 1, 0.0, str(analysis.media)
    time = seen.metadata.capture_time
    return 0, float("inf") if time is None else time.timestamp(), str(analysis.media)


def _no_preview(status: MediaStatus) -> MediaParked | PreviewNotReady:
    name = f"{MEDIA_PREFIX}{status.id}"
    if status.parked_reason is None:
        return PreviewNotReady(
            f"{name} is still being analysed: call again", metadata={"media": name}, retry_after=PREVIEW_DELAY
        )
    return MediaParked(
        f"{name} could not be analysed ({status.parked_reason}); it can be deleted",
        metadata={"media": name, "parked_reason": status.parked_reason},
    )


def _not_found(media: UUID) -> MediaNotFound:
    name = f"{MEDIA_PREFIX}{media}"
    return MediaNotFound(f"{name} does not exist", metadata={"media": name})
