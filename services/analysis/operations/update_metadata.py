"""Updates of metadata: what an owner changes of a media goes into its findings without a model being asked."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from uuid import UUID

from services.analysis.domain.finding_records import dump_scene, load_scene
from services.analysis.domain.findings import SceneFindings
from services.analysis.domain.media import MetadataUpdate
from services.analysis.domain.rows import RenewedRecord, StaleRecord, UpdateOutcome
from services.analysis.errors import MediaNotFound
from services.analysis.operations.dependencies import Dependencies
from services.chassis.failed_work.set_aside import Item
from services.chassis.failed_work.turns import Turns
from services.chassis.seal import open_bytes, seal_bytes
from services.keyring import Purpose, PurposeNotGranted, artefact_aad, metadata_aad

_BATCH = 200


async def update_metadata(update: MetadataUpdate, dependencies: Dependencies) -> None:
    """Take an update in; one that is older than what is known changes nothing.

    Raises:
        MediaNotFound: the media exists, and is not known here yet: the update is to be delivered again.
    """
    outcome = await dependencies.metadata.update_metadata(update)
    if outcome is UpdateOutcome.UNKNOWN and await _still_exists(update, dependencies):
        raise MediaNotFound.of(update.media)
    await refresh_records([update.media], dependencies)


async def refresh_records(media: Sequence[UUID], dependencies: Dependencies) -> None:
    """Put the present metadata into records of media that hold an older copy."""
    stale: defaultdict[tuple[str, str], list[StaleRecord]] = defaultdict(list)
    for row in await dependencies.metadata.stale_records(media) if media else ():
        stale[row.subject, row.purpose].append(row)
    for (subject, purpose), rows in stale.items():
        keys = await _open_keys(subject, purpose, rows, dependencies)
        renewed = [_renewed(row, keys, dependencies) for row in rows if _ids(row) <= keys.keys()]
        await dependencies.metadata.commit_records(renewed)


async def refresh_missed_records(turns: Turns, dependencies: Dependencies) -> None:
    """Put the present metadata into whichever records hold an older copy."""

    async def stale(without: AbstractSet[str]) -> Sequence[tuple[str, UUID]]:
        return await dependencies.metadata.media_with_stale_records(_BATCH, without)

    async def refresh(each: tuple[str, UUID]) -> None:
        await refresh_records([each[1]], dependencies)

    await turns.take(stale, lambda each: Item(str(each[1]), each[0]), refresh)


async def _still_exists(update: MetadataUpdate, dependencies: Dependencies) -> bool:
    """Tell by its key whether a media was neither erased nor withdrawn."""
    opened = await asyncio.gather(
        *(
            _open(update.subject, purpose, [update.data_key_id], dependencies)
            for purpose in (Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA)
        )
    )
    return any(opened)


async def _open_keys(
    subject: str, purpose: str, rows: Sequence[StaleRecord], dependencies: Dependencies
) -> Mapping[str, bytes]:
    return await _open(subject, purpose, sorted({id_ for row in rows for id_ in _ids(row)}), dependencies)


async def _open(subject: str, purpose: str, ids: Sequence[str], dependencies: Dependencies) -> Mapping[str, bytes]:
    try:
        return await dependencies.keyring.open(subject=subject, purpose=purpose, ids=ids)
    except PurposeNotGranted:
        return {}


def _ids(row: StaleRecord) -> set[str]:
    return {str(row.data_key_id), str(row.record_key_id)}


def _renewed(row: StaleRecord, keys: Mapping[str, bytes], dependencies: Dependencies) -> RenewedRecord:
    key, aad = keys[str(row.record_key_id)], artefact_aad(row.record_key_id, row.purpose)
    opened = open_bytes(keys[str(row.data_key_id)], row.sealed_metadata, metadata_aad(row.data_key_id))
    scene = load_scene(open_bytes(key, row.sealed_record, aad))
    if isinstance(scene, SceneFindings):
        scene = replace(scene, metadata=dependencies.read_metadata(opened))
    return RenewedRecord(row.media, row.record_key_id, seal_bytes(key, dump_scene(scene), aad), row.metadata_revision)
