"""Destruction of purposes: their keys are gone when the call returns."""

from collections.abc import Collection
from datetime import datetime

from services.retention.domain.keys import Purpose
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_older_media import destroy_older_media
from services.retention.operations.destruction import destroying
from services.retention.operations.issue_purge_orders import issue_purge_orders


async def destroy_purpose_keys(
    subject: str, purposes: Collection[Purpose], revision: int, dependencies: Dependencies
) -> tuple[datetime, int]:
    """Destroy the keys of purposes, and return when, with the latest decision of the person that is known.

    What does not exist is no error; what a later decision granted stays.
    The cost does not grow with what was sealed, as the rows of data keys follow by an order to ourselves; but for
    OLDER_MEDIA, which takes along what other purposes learnt from its media.
    """
    now = dependencies.clock.now()
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(subject)
        destroyed = await transaction.purposes.destroy(subject, purposes, revision)
        await transaction.purposes.record_decision(subject, purposes, revision)
        latest = await transaction.purposes.latest_decision(subject)
        await issue_purge_orders(transaction, subject, destroyed, now, dependencies.data_map)
    # Who withdraws CLOUD_PROCESSING as well withdraws all that builds on it: nothing else is left that was learnt.
    if Purpose.OLDER_MEDIA in purposes and Purpose.CLOUD_PROCESSING not in purposes:
        await destroy_older_media(subject, dependencies)
    return now, latest
