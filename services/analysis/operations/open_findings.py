"""Person's findings, opened in memory with every key that can still be had, and gone again."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.analysis.domain.finding_records import load_place, load_scene, load_templates
from services.analysis.domain.findings import Analysis, Parked
from services.analysis.domain.media import MediaState
from services.analysis.domain.model_set import EXTRA_PURPOSES
from services.analysis.domain.rows import MediaStatus, SealedFindings
from services.analysis.operations.dependencies import Dependencies
from services.chassis.seal import open_bytes
from services.keyring import Keyring, Purpose, PurposeNotGranted, artefact_aad


@dataclass(frozen=True)
class _Stored:
    """A person's rows, and the keys that open them."""

    statuses: Sequence[MediaStatus]
    findings: Sequence[SealedFindings]
    keys: Mapping[Purpose, Mapping[str, bytes]]


async def open_findings(
    subject: str, dependencies: Dependencies, media: Sequence[UUID] | None = None
) -> list[Analysis]:
    """Return what is known of a person's media, in no order and without groups.

    Media that can no longer be opened are left out; so is every finding of a purpose that is not granted.

    Args:
        subject: The person's pseudonym.
        dependencies: What is stored, and what opens it.
        media: Of these media; None for all.

    Raises:
        PurposeNotGranted: the person does not allow any processing.
    """
    return await asyncio.to_thread(_assemble, await _stored(subject, media, dependencies))


async def _stored(subject: str, media: Sequence[UUID] | None, dependencies: Dependencies) -> _Stored:
    library = dependencies.library
    statuses, findings = await asyncio.gather(library.statuses(subject, media), library.findings(subject, media))
    return _Stored(statuses, findings, await _open_keys(subject, statuses, findings, dependencies.keyring))


async def _open_keys(
    subject: str, statuses: Sequence[MediaStatus], findings: Sequence[SealedFindings], keyring: Keyring
) -> dict[Purpose, Mapping[str, bytes]]:
    """Open the keys of everything in one batch for each purpose."""
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
    """Open the records."""
    records: defaultdict[UUID, dict[Purpose, SealedFindings]] = defaultdict(dict)
    for row in stored.findings:
        records[row.media_id][Purpose(row.purpose)] = row
    opened = (_analysis(status, records[status.id], stored.keys) for status in stored.statuses)
    return [analysis for analysis in opened if analysis is not None]


def _analysis(
    status: MediaStatus, records: Mapping[Purpose, SealedFindings], keys: Mapping[Purpose, Mapping[str, bytes]]
) -> Analysis | None:
    """Open what is known of one media; None if it can no longer be opened."""
    bare = Analysis(status.id, status.state, analyze_time=status.analyze_time, delete_time=status.delete_time)
    own = _opened(records.get(status.purpose), keys)
    if own is None:
        waits = str(status.data_key_id) in keys.get(status.purpose, {})
        return bare if waits and status.state is MediaState.PENDING else None
    scene = load_scene(own)
    if isinstance(scene, Parked):
        return replace(bare, parked=scene if status.state is MediaState.PARKED else None)
    place, templates = (_opened(records.get(purpose), keys) for purpose in EXTRA_PURPOSES)
    made_by = [records[purpose].models for purpose in records if _opened(records[purpose], keys) is not None]
    return replace(
        bare,
        models=tuple(sorted({model for models in made_by for model in models.split(",") if model})),
        scene=scene,
        place=None if place is None else load_place(place),
        templates=None if templates is None else load_templates(templates),
    )


def _opened(row: SealedFindings | None, keys: Mapping[Purpose, Mapping[str, bytes]]) -> bytes | None:
    if row is None:
        return None
    id_ = str(row.data_key_id)
    key = keys.get(Purpose(row.purpose), {}).get(id_)
    return None if key is None else open_bytes(key, row.sealed, artefact_aad(id_, row.purpose))
