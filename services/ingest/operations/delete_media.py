"""Deletion of a media with all that derives from it."""

from uuid import UUID

from services.ingest.domain.media import media_name
from services.ingest.errors import MediaNotFound
from services.ingest.operations.dependencies import Dependencies
from services.keyring.errors import NothingToErase


async def delete_media(dependencies: Dependencies, *, subject: str, media_id: UUID, request_id: UUID) -> str:
    """Erase a media with all that derives from it, and return the erasure's name once the keys are destroyed.

    Raises:
        MediaNotFound: the person has none of this name.
    """
    row = await dependencies.media.find(subject, media_id)
    if row is None and not await dependencies.media.was_deleted(subject, media_id):
        raise MediaNotFound.of(media_id)
    try:
        return await dependencies.erasures.erase_media(
            subject=subject, media=media_name(media_id), request_id=request_id
        )
    except NothingToErase as error:
        raise MediaNotFound.of(media_id) from error
