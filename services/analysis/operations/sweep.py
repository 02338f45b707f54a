"""Periodic sweep for what no event told of: other models, grants that went unheard, media past their time."""

from datetime import timedelta

from services.analysis.domain.model_set import EXTRA_PURPOSES, ModelSet, model_set
from services.analysis.operations import purge
from services.analysis.operations.dependencies import Dependencies
from services.keyring import Purpose, PurposeNotGranted

TOMBSTONE_LIFE = timedelta(days=60)
"""Longer than any key may live and any backup is kept."""
_SUBJECTS = 100
_EXPIRED = 200


async def served_models(dependencies: Dependencies) -> ModelSet:
    """Ask the inference server which models make which findings now."""
    return model_set(await dependencies.vision.models.identities())


async def renew_stale(dependencies: Dependencies) -> int:
    """Make media due for renewal whose findings other models made than the present ones; return how many."""
    return await dependencies.work.renew_stale(dependencies.models, dependencies.clock.now())


async def want_purpose(subject: str, purpose: Purpose, dependencies: Dependencies) -> int:
    """Make a person's media due that lack the findings of a purpose; return how many."""
    return await dependencies.work.want_purpose(subject, purpose, dependencies.clock.now())


async def catch_up_grants(dependencies: Dependencies) -> int:
    """Ask for persons whose media lack findings of a purpose whether they have granted it meanwhile.

    Returns:
        How many media are due now.
    """
    due = 0
    for purpose in EXTRA_PURPOSES:
        after = ""
        while subjects := await dependencies.work.subjects_without(purpose, after=after, limit=_SUBJECTS):
            for subject in subjects:
                if await _is_granted(subject, purpose, dependencies):
                    due += await want_purpose(subject, purpose, dependencies)
            after = subjects[-1]
    return due


async def delete_expired(dependencies: Dependencies) -> None:
    """Delete media past their time, whether or not an order says so, and tombstones past theirs."""
    while expired := await dependencies.purge.expired(dependencies.clock.now(), _EXPIRED):
        for subject in {subject for subject, _ in expired}:
            await purge.delete(subject, [key for owner, key in expired if owner == subject], dependencies)
    await dependencies.purge.forget_tombstones(dependencies.clock.now() - TOMBSTONE_LIFE)


async def _is_granted(subject: str, purpose: Purpose, dependencies: Dependencies) -> bool:
    try:
        await dependencies.keyring.open(subject=subject, purpose=purpose, ids=[])
    except PurposeNotGranted:
        return False
    return True
