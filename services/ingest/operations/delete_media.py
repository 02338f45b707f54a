"""Deletion of a media with all that derives from it."""

from uuid import UUID

from services.ingest.domain.media import media_name
from services.ingest.errors import MediaNotFound, RequestIdReused
from services.ingest.operations.dependencies import Dependencies
from services.keyring import Erasure
from services.keyring import errors as keyring_errors


async def delete_media(dependencies: Dependencies, *, subject: str, media_id: UUID, request_id: UUID) -> Erasure:
    """Erase a media with all that derives from it, and return the erasure once the keys are destroyed.

    Raises:
        MediaNotFound: the person has none of this name.
        RequestIdReused: the request_id was used for another deletion.
    """
    row = await dependencies.media.find(subject, media_id)
    if row is None and not await dependencies.media.was_deleted(subject, media_id):
        raise MediaNotFound.of(media_id)
    try:
        return await dependencies.erasures.erase_media(
            subject=subject, media=media_name(media_id), request_id=request_id
        )
    except keyring_errors.NothingToErase as error:
        raise MediaNotFound.of(media_id) from error
    except keyring_errors.RequestIdReused as error:
        raise RequestIdReused.of(request_id) from error
