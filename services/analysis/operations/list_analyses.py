"""Person's analyses in their order, with near-duplicates grouped."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.analysis.domain.findings import Analysis, SceneFindings
from services.analysis.domain.listing import AnalysisFilter, place_of
from services.analysis.domain.model_set import scene_encoder
from services.analysis.domain.near_duplicates import Shot, duplicate_groups
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.open_findings import open_findings

_EVERYTHING = AnalysisFilter()


async def list_analyses(
    subject: str, dependencies: Dependencies, wanted: AnalysisFilter = _EVERYTHING, *, newest_first: bool = False
) -> list[Analysis]:
    """Return what is known of a person's media, in the order of capture, those without a time last.

    Media that can no longer be opened are left out; so is every finding of a purpose that is not granted. Pending and
    parked media come last.

    Args:
        subject: The person's pseudonym.
        dependencies: What is stored, and what opens it.
        wanted: Which ones; groups of near-duplicates are those of all.
        newest_first: Turns the order of capture round.

    Raises:
        PurposeNotGranted: the person does not allow any processing.
    """
    analyses = await asyncio.to_thread(_grouped, await open_findings(subject, dependencies))
    admitted = (analysis for analysis in analyses if wanted.admits(analysis))
    return sorted(admitted, key=lambda analysis: place_of(analysis, newest_first=newest_first))


def _grouped(analyses: Sequence[Analysis]) -> list[Analysis]:
    """Name after its first shot the group that looks alike."""
    groups = duplicate_groups([_shot(each, each.scene) for each in analyses if each.scene is not None])
    return [replace(each, duplicate_group=groups.get(each.media)) for each in analyses]


def _shot(analysis: Analysis, scene: SceneFindings) -> Shot:
    time, encoder = scene.metadata.capture_time, scene_encoder(analysis.models)
    lines = tuple(line.text for line in scene.writing.lines)
    return Shot(analysis.media, time, scene.perceptual_hash, scene.embedding, scene.kind, encoder, lines)
