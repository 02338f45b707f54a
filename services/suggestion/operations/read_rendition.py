"""Reading of renditions, which makes a suggestion seen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.chassis.errors import DependencyUnavailable
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, StreamOpener
from services.chassis.streams import checked_offset, chunks
from services.keyring import Purpose, artefact_aad
from services.suggestion.domain.suggestions import Standing, State
from services.suggestion.errors import RenditionNotFound
from services.suggestion.operations import open_suggestions
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion
from services.suggestion.operations.remove import remove
from services.suggestion.ports import RenditionRow

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class RenditionStream:
    """A rendition on its way.

    Attributes:
        row: What it is.
        pieces: Its bytes from the offset on, unsealed, at most 1 MiB each; read to the end, they make it seen.
    """

    row: RenditionRow
    pieces: AsyncGenerator[bytes, None]


async def open_rendition(
    dependencies: Dependencies, *, subject: str, suggestion_id: UUID, number: int, offset: int = 0
) -> RenditionStream:
    """Open a rendition for reading.

    Raises:
        SuggestionNotFound: there is no such suggestion for this person.
        RenditionNotFound: the suggestion has no such rendition, or it can no longer be opened.
        FieldInvalid: the offset lies outside of it.
        DependencyUnavailable, while it is read: the object store does not answer, or holds other bytes than were
            stored.
    """
    opened = await open_suggestions.open_one(dependencies, subject=subject, suggestion_id=suggestion_id)
    row = next((each for each in opened.renditions if each.number == number), None)
    if row is None:
        raise RenditionNotFound.of(suggestion_id, number)
    key = await open_suggestions.rendition_key(dependencies, subject=subject, row=row)
    if key is None:
        raise RenditionNotFound.of(suggestion_id, number)
    return RenditionStream(row, _read(dependencies, opened, row, key, checked_offset(offset, row.size_bytes)))


async def _read(
    dependencies: Dependencies, opened: OpenSuggestion, row: RenditionRow, key: bytes, offset: int
) -> AsyncGenerator[bytes, None]:
    try:
        # A rendition is small, so it is unsealed from its beginning whatever the offset.
        async for part in chunks(_unsealed(dependencies, row, key), offset):
            yield part
    except ObjectMissing as error:
        await _make_again(dependencies, opened)
        raise RenditionNotFound.of(row.suggestion_id, row.number) from error
    except SealBroken as error:
        raise DependencyUnavailable("the object store returned altered bytes: tell the operator") from error
    if opened.state is State.READY:
        await _see(dependencies, opened.row.subject, row.suggestion_id)


async def _make_again(dependencies: Dependencies, opened: OpenSuggestion) -> None:
    """Let a suggestion whose picture the store has lost be made anew; one that was decided about stays as it is."""
    subject, suggestion_id = opened.row.subject, opened.row.id
    async with dependencies.database.transaction() as store:
        current = await store.suggestions.find(subject, suggestion_id)
    if current is None or current.state not in (State.READY, State.SEEN):
        return
    _log.error("rendition_missing", suggestion=str(suggestion_id))
    await dependencies.cleanup.complete(remove(dependencies, subject, [suggestion_id]))
    async with dependencies.database.transaction() as store:
        await store.refreshes.mark_due(subject, dependencies.clock.now())


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
            await store.suggestions.move(suggestion_id, Standing(State.SEEN), dependencies.clock.now())
            await store.changes.changed(subject, [suggestion_id])
