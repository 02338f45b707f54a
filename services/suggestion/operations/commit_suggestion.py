"""Commit of a suggestion: sealed objects first, then the rows that name them, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from services.chassis.object_store import random_name
from services.chassis.seal import seal_bytes, seal_object
from services.keyring import DataKey, Purpose, artefact_aad
from services.suggestion.domain import idea_records
from services.suggestion.domain.suggestions import Idea, State
from services.suggestion.drawing.rendering import RenderedPage
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.ports import RenditionRow, SuggestionRow


async def commit(
    dependencies: Dependencies,
    subject: str,
    idea: Idea,
    pages: Sequence[RenderedPage],
    keys: Sequence[DataKey],
    delete_time: datetime,
) -> bool:
    """Store a suggestion; return whether it was stored. It is not if its key was destroyed meanwhile.

    Args:
        dependencies: what the use cases are handed.
        subject: the person.
        idea: what the suggestion is about.
        pages: its pictures, the best first.
        keys: the key of the record, then one for each page.
        delete_time: when it is gone at the latest.
    """
    record_key, *page_keys = keys
    suggestion = _suggestion_row(subject, idea, record_key, dependencies.clock.now(), delete_time)
    renditions = [
        _rendition_row(suggestion.id, number, page, key)
        for number, (page, key) in enumerate(zip(pages, page_keys, strict=True), 1)
    ]
    try:
        await _put(dependencies, renditions, pages, page_keys)
    except BaseException:
        dependencies.cleanup.start(_discard(dependencies, subject, renditions, keys))
        raise
    async with dependencies.database.locked(subject) as store:
        written = await store.suggestions.add(suggestion)
        for row in renditions if written else ():
            await store.suggestions.add_rendition(row)
        await store.changes.changed(subject, [suggestion.id] if written else [])
    if not written:
        await dependencies.cleanup.complete(_discard(dependencies, subject, renditions, keys))
    return written


async def _discard(
    dependencies: Dependencies, subject: str, rows: Sequence[RenditionRow], keys: Sequence[DataKey]
) -> None:
    """Take back what no row names: keys first."""
    await dependencies.keyring.destroy(subject=subject, ids=[key.id for key in keys])
    await dependencies.objects.delete(dependencies.bucket, [row.object for row in rows])


async def _put(
    dependencies: Dependencies, rows: Sequence[RenditionRow], pages: Sequence[RenderedPage], keys: Sequence[DataKey]
) -> None:
    for row, page, key in zip(rows, pages, keys, strict=True):
        aad = artefact_aad(key.id, Purpose.CLOUD_PROCESSING)
        sealed = await asyncio.to_thread(seal_object, key.key, page.content, aad)
        await dependencies.objects.put(dependencies.bucket, row.object, sealed)


def _suggestion_row(subject: str, idea: Idea, key: DataKey, now: datetime, delete_time: datetime) -> SuggestionRow:
    return SuggestionRow(
        id=uuid4(),
        subject=subject,
        state=State.READY.value,
        state_before_dismissal=None,
        purpose=idea.purpose.value,
        data_key_id=UUID(key.id),
        purpose_revision=key.purpose_revision,
        sealed=seal_bytes(key.key, idea_records.pack(idea), artefact_aad(key.id, idea.purpose)),
        create_time=now,
        update_time=now,
        offer_time=now,
        delete_time=delete_time,
    )


def _rendition_row(suggestion_id: UUID, number: int, page: RenderedPage, key: DataKey) -> RenditionRow:
    return RenditionRow(
        suggestion_id=suggestion_id,
        number=number,
        data_key_id=UUID(key.id),
        object=random_name(),
        layout=page.layout,
        content_type="image/jpeg",
        width=page.width,
        height=page.height,
        size_bytes=len(page.content),
    )
