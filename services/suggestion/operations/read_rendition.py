"""Reading a rendition, which makes a suggestion seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from services.chassis.errors import DependencyUnavailable
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, StreamOpener
from services.keyring import Purpose, artefact_aad
from services.suggestion.domain.suggestions import State
from services.suggestion.errors import RenditionNotFound
from services.suggestion.operations import open_suggestions
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.ports import RenditionRow


async def read_rendition(
    dependencies: Dependencies, *, subject: str, suggestion_id: UUID, number: int
) -> AsyncIterator[bytes]:
    """Yield a rendition, unsealed; a suggestion looked at for the first time is seen.

    Raises:
        SuggestionNotFound: there is no such suggestion for this person.
        RenditionNotFound: the suggestion has no such rendition, or it can no longer be opened.
        DependencyUnavailable: the object store does not answer, or holds other bytes than were stored.
    """
    opened = await open_suggestions.open_one(dependencies, subject=subject, suggestion_id=suggestion_id)
    row = next((each for each in opened.renditions if each.number == number), None)
    if row is None:
        raise RenditionNotFound.of(suggestion_id, number)
    key = await open_suggestions.rendition_key(dependencies, subject=subject, row=row)
    if key is None:
        raise RenditionNotFound.of(suggestion_id, number)
    try:
        async for part in _unsealed(dependencies, row, key):
            yield part
    except ObjectMissing as error:
        raise RenditionNotFound.of(suggestion_id, number) from error
    except SealBroken as error:
        raise DependencyUnavailable("the object store returned altered bytes: tell the operator") from error
    if opened.state is State.READY:
        await _see(dependencies, subject, suggestion_id)


async def _unsealed(dependencies: Dependencies, row: RenditionRow, key: bytes) -> AsyncIterator[bytes]:
    opener = StreamOpener(key, artefact_aad(row.data_key_id, Purpose.CLOUD_PROCESSING))
    async for piece in dependencies.objects.stream(dependencies.bucket, row.object):
        if part := opener.update(piece):
            yield part
    yield opener.finish()


async def _see(dependencies: Dependencies, subject: str, suggestion_id: UUID) -> None:
    async with dependencies.database.locked(subject) as store:
        # Meanwhile it may have been decided about, or deleted.
        current = await store.suggestions.find(subject, suggestion_id)
        if current is not None and current.state == State.READY:
            await store.suggestions.set_state(suggestion_id, State.SEEN, dependencies.clock.now())
            await store.notify(subject)
