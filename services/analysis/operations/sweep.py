"""Periodic sweep for what no event told of: other models, grants that went unheard, media past their time."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from uuid import UUID

from services.analysis.domain.model_set import EXTRA_PURPOSES, ModelSet, model_set
from services.analysis.operations import purge
from services.analysis.operations.dependencies import Dependencies
from services.chassis.failed_work.set_aside import Item
from services.chassis.failed_work.turns import Turns
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
    total = 0
    while renewed := await dependencies.work.renew_stale(dependencies.models, dependencies.clock.now()):
        total += renewed
    return total


async def want_purpose(subject: str, purpose: Purpose, dependencies: Dependencies) -> int:
    """Make a person's media due that lack the findings of a purpose; return how many."""
    return await dependencies.work.want_purpose(subject, purpose, dependencies.clock.now())


async def catch_up_grants(turns: Turns, dependencies: Dependencies) -> int:
    """Ask for persons whose media lack findings of a purpose whether they have granted it meanwhile.

    Returns:
        How many media are due now.
    """
    return sum([await _catch_up_grant(purpose, turns, dependencies) for purpose in EXTRA_PURPOSES])


async def delete_expired(turns: Turns, dependencies: Dependencies) -> None:
    """Delete media past their time, whether or not an order says so."""

    async def expired(without: AbstractSet[str]) -> Sequence[tuple[str, UUID]]:
        return await dependencies.purge.expired(dependencies.clock.now(), _EXPIRED, without)

    async def delete(expired: tuple[str, UUID]) -> None:
        subject, key = expired
        await purge.delete(subject, [key], dependencies)

    await turns.take(expired, lambda each: Item(str(each[1]), each[0]), delete)


async def forget_tombstones(dependencies: Dependencies) -> None:
    """Delete tombstones past their time."""
    await dependencies.purge.forget_tombstones(dependencies.clock.now() - TOMBSTONE_LIFE)


async def _catch_up_grant(purpose: Purpose, turns: Turns, dependencies: Dependencies) -> int:
    due, after = 0, ""

    async def next_subjects(without: AbstractSet[str]) -> Sequence[str]:
        nonlocal after
        while subjects := await dependencies.work.subjects_without(purpose, after=after, limit=_SUBJECTS):
            after = subjects[-1]
            if wanted := [subject for subject in subjects if f"{purpose}/{subject}" not in without]:
                return wanted
        return []

    async def ask(subject: str) -> None:
        nonlocal due
        if await _is_granted(subject, purpose, dependencies):
            due += await want_purpose(subject, purpose, dependencies)

    await turns.take(next_subjects, lambda subject: Item(f"{purpose}/{subject}", subject), ask)
    return due


async def _is_granted(subject: str, purpose: Purpose, dependencies: Dependencies) -> bool:
    try:
        await dependencies.keyring.open(subject=subject, purpose=purpose, ids=[])
    except PurposeNotGranted:
        return False
    return True
