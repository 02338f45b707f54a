"""Sweeps: interrupted changes are ended, and grants that have run out."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from services.chassis.errors import DomainError
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import reconcile_person

SWEEP_SECONDS = 5.0
"""Time between two sweeps for interrupted changes; a change in work is younger than this or holds its lock."""
_BATCH = 100

_log = structlog.stdlib.get_logger()


async def end_interrupted_changes(dependencies: Dependencies) -> int:
    """End changes that were interrupted, and return how many persons' books agree again."""
    begun_before = dependencies.clock.now() - timedelta(seconds=SWEEP_SECONDS)
    return await _reconcile(await dependencies.store.unfinished(begun_before, limit=_BATCH), dependencies)


async def expire_grants(dependencies: Dependencies) -> int:
    """End grants that have run out, and return for how many persons."""
    return await _reconcile(await dependencies.store.due(dependencies.clock.now(), limit=_BATCH), dependencies)


async def _reconcile(subjects: Sequence[str], dependencies: Dependencies) -> int:
    reconciled = 0
    for subject in subjects:
        try:
            await reconcile_person(subject, dependencies)
            reconciled += 1
        except DomainError as error:
            _log.warning("reconciliation_waits", subject=subject, reason=error.reason)
    return reconciled
