"""Deletion of media with all that derives from them."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid5

from services.chassis.errors import DomainError
from services.ingest.domain.media import media_name
from services.ingest.errors import MediaNotFound, RequestIdReused
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.remember_request import remember_request
from services.keyring import Erasure
from services.keyring import errors as keyring_errors

_AT_A_TIME = 16


async def delete_media(dependencies: Dependencies, *, subject: str, media_id: UUID, request_id: UUID) -> Erasure:
    """Erase a media with all that derives from it, and return the erasure once the keys are destroyed.

    Raises:
        MediaNotFound: the person has none of this name.
        RequestIdReused: the request_id was used for another request.
    """
    await remember_request(
        dependencies, subject=subject, request_id=request_id, method="DeleteMedia", said=[media_name(media_id)]
    )
    return await _delete(dependencies, subject=subject, media_id=media_id, request_id=request_id)


async def _delete(dependencies: Dependencies, *, subject: str, media_id: UUID, request_id: UUID) -> Erasure:
    row = await dependencies.media.find(subject, media_id)
    if row is None and not await dependencies.media.was_deleted(subject, media_id):
        raise MediaNotFound.of(media_id)
    try:
        erasure = await dependencies.erasures.erase_media(
            subject=subject, media=media_name(media_id), request_id=request_id
        )
    except keyring_errors.NothingToErase as error:
        raise MediaNotFound.of(media_id) from error
    except keyring_errors.RequestIdReused as error:
        raise RequestIdReused.of(request_id) from error
    # The purge says it as well, a moment later: the caller finds it in the feed, and in a plan, at once.
    await dependencies.media.tell_deleted(subject, media_id, dependencies.clock.now())
    return erasure


async def delete_media_batch(
    dependencies: Dependencies, *, subject: str, media_ids: Sequence[UUID], request_id: UUID
) -> list[Erasure | DomainError]:
    """Delete media, each as `delete_media` does, and return what became of each in the order asked for.

    Raises:
        RequestIdReused: the request_id was used for another request.
    """
    await remember_request(
        dependencies,
        subject=subject,
        request_id=request_id,
        method="BatchDeleteMedia",
        said=map(media_name, media_ids),
    )
    slots = asyncio.Semaphore(_AT_A_TIME)

    async def delete(media_id: UUID) -> Erasure | DomainError:
        # The id of the one deletion follows from that of the batch, so that a repeated batch repeats its deletions.
        one = uuid5(request_id, media_name(media_id))
        async with slots:
            try:
                return await _delete(dependencies, subject=subject, media_id=media_id, request_id=one)
            except DomainError as error:
                return error

    return list(await asyncio.gather(*map(delete, media_ids)))
