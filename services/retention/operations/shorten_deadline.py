"""Deadlines brought forward on request."""

from datetime import datetime
from uuid import UUID

from services.retention.domain.keys import is_too_far
from services.retention.errors import DeadlineNotShorter, DeadlineTooFar, MediaNotFound
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destruction import destroying


async def shorten_deadline(subject: str, media: UUID, delete_time: datetime, dependencies: Dependencies) -> int:
    """Brings the end of a media and all that derives from it forward, and returns how many keys changed.

    Raises:
        DeadlineTooFar: the time is in the past or beyond the longest retention.
        MediaNotFound: nothing of the person's is kept for it.
        DeadlineNotShorter: all of it ends earlier already.
    """
    if is_too_far(delete_time, dependencies.clock.now(), dependencies.longest_days):
        raise DeadlineTooFar.of("delete_time", dependencies.longest_days)
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(subject)
        await transaction.purposes.hold_all(subject)
        present = await transaction.keys.latest_delete_time(subject, media)
        if present is None:
            raise MediaNotFound.of(media)
        if delete_time > present:
            raise DeadlineNotShorter.of(present)
        await transaction.keys.end(subject, [media], delete_time)
        return await transaction.keys.shorten(subject, media, delete_time)
