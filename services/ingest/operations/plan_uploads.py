"""Planning of uploads: what is known about a person's assets, put before the plan."""

from collections.abc import Mapping, Sequence

from services.ingest.domain import upload_plan
from services.ingest.domain.media import Asset
from services.ingest.domain.seals import ORIGINAL, lookup_tag
from services.ingest.domain.upload_plan import Known, OlderMedia, PlanItem, Situation
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.open_keys import open_row_keys, reach_of_older_media


async def plan_uploads(
    dependencies: Dependencies, *, subject: str, assets: Sequence[Asset], can_reduce: bool
) -> list[PlanItem]:
    """Say for each asset whether it is wanted, uploads first in the order of their ranking.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    lookup_key = await dependencies.lookup_keys.open(subject)
    tags = {asset.sha256: lookup_tag(lookup_key, ORIGINAL, asset.sha256) for asset in assets}
    now = dependencies.clock.now()
    window = dependencies.policy.window_at(now)
    needs_older = not all(window.holds(asset.capture_time) for asset in assets)
    quota, used = dependencies.policy.quota, await dependencies.media.used(subject)
    situation = Situation(
        now=now,
        window=window,
        older_media=await reach_of_older_media(dependencies, subject) if needs_older else OlderMedia(granted=False),
        known=await _known(dependencies, subject, tags),
        deleted=await _deleted(dependencies, subject, tags),
        free_bytes=max(0, quota.size_bytes - quota.taken(used)),
        can_reduce=can_reduce,
    )
    return upload_plan.plan(assets, situation, dependencies.policy.plan_rules)


async def _known(dependencies: Dependencies, subject: str, tags: Mapping[bytes, bytes]) -> dict[bytes, Known]:
    rows = await dependencies.media.find_tagged(subject, tags.values())
    keys = await open_row_keys(dependencies, subject, rows)
    by_tag = {row.tag: Known(row.id, row.form, row.original_wanted, row.missing) for row in rows if row.id in keys}
    return {sha256: by_tag[tag] for sha256, tag in tags.items() if tag in by_tag}


async def _deleted(dependencies: Dependencies, subject: str, tags: Mapping[bytes, bytes]) -> set[bytes]:
    deleted = await dependencies.media.deleted_tags(subject, tags.values())
    return {sha256 for sha256, tag in tags.items() if tag in deleted}
