"""A person's analyses in their order, with near-duplicates grouped."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.analysis.domain.findings import Analysis, SceneFindings
from services.analysis.domain.media import MediaState
from services.analysis.domain.model_set import scene_encoder
from services.analysis.domain.near_duplicates import Shot, duplicate_groups
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.open_findings import open_findings


async def list_analyses(subject: str, dependencies: Dependencies) -> list[Analysis]:
    """Return what is known of every media of a person, in the order of capture, those without a time last.

    Media that can no longer be opened are left out; so is every finding of a purpose that is not granted. Pending and
    parked media come last.

    Raises:
        PurposeNotGranted: the person does not allow any processing.
    """
    return await asyncio.to_thread(_grouped, await open_findings(subject, dependencies))


def _grouped(analyses: Sequence[Analysis]) -> list[Analysis]:
    """Group what looks alike, and sort."""
    groups = duplicate_groups([_shot(each, each.scene) for each in analyses if each.scene is not None])
    grouped = (replace(each, duplicate_group=groups.get(each.media)) for each in analyses)
    return sorted(grouped, key=_order)


def _shot(analysis: Analysis, scene: SceneFindings) -> Shot:
    time, encoder = scene.metadata.capture_time, scene_encoder(analysis.models)
    return Shot(analysis.media, time, scene.perceptual_hash, scene.embedding, scene.kind, encoder)


def _order(analysis: Analysis) -> tuple[int, float, str]:
    scene = analysis.scene
    if scene is None:
        return 2 if analysis.state is MediaState.PARKED else 1, 0.0, str(analysis.media)
    time = scene.metadata.capture_time
    return 0, float("inf") if time is None else time.timestamp(), str(analysis.media)
