"""Refresh of a person's suggestions: look at what is analyzed, decide what is missing, draw it, seal it, store it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.keyring import DataKey, Keyring, MediaErased, NewDataKey, Purpose, PurposeNotGranted
from services.suggestion.domain import ideas, refresh_plan
from services.suggestion.domain.metrics import MADE
from services.suggestion.domain.refresh_plan import ExistingSuggestion
from services.suggestion.domain.suggestions import Idea
from services.suggestion.drawing.illustration import illustrate
from services.suggestion.drawing.previews import Previews
from services.suggestion.operations import open_suggestions
from services.suggestion.operations.commit_suggestion import commit
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.remove import remove
from services.suggestion.ports import AnalyzedPhoto

KEY_MARGIN = timedelta(seconds=1)


async def refresh(dependencies: Dependencies, *, subject: str) -> int:
    """Make what is missing, then remove what no longer holds; return how many suggestions were made.

    One refresh at a time works on a person. It can be cut off anywhere: what is stored is whole, the rest is made
    next time.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
        DependencyUnavailable: a server does not answer.
        TurnTaken: another process does it.
    """
    async with dependencies.database.turn(subject):
        return await _refresh(dependencies, subject)


async def refresh_if_due(dependencies: Dependencies, *, subject: str) -> int:
    """Make what is missing, as `refresh` does, unless another process did it while this one came to it."""
    async with dependencies.database.turn(subject):
        async with dependencies.database.transaction() as store:
            is_due = await store.refreshes.waits(subject)
        return await _refresh(dependencies, subject) if is_due else 0


async def _refresh(dependencies: Dependencies, subject: str) -> int:
    started = dependencies.clock.now()
    photos = {each.photo.media: each for each in await dependencies.analysis.photos(subject)}
    existing = await _existing(dependencies, subject)
    found = ideas.find(each.photo for each in photos.values())
    hidden = {media for media, each in photos.items() if each.photo.is_hidden}
    plan = refresh_plan.plan(found, existing, started, hidden)
    made = await _make_all(dependencies, subject, plan.make, photos)
    await dependencies.cleanup.complete(remove(dependencies, subject, plan.remove))
    async with dependencies.database.transaction() as store:
        await store.refreshes.done(subject, started)
    return made


async def _existing(dependencies: Dependencies, subject: str) -> list[ExistingSuggestion]:
    opened = await open_suggestions.open_all(dependencies, subject=subject)
    return [ExistingSuggestion(each.row.id, each.state, each.idea, each.row.update_time) for each in opened]


async def _make_all(
    dependencies: Dependencies, subject: str, wanted: Sequence[Idea], photos: Mapping[str, AnalyzedPhoto]
) -> int:
    previews = Previews(dependencies.analysis, subject)
    made = 0
    for idea in wanted:
        if await _make(dependencies, subject, idea, [photos[media] for media in idea.media], previews):
            dependencies.measurements.measure(MADE, 1, {"kind": idea.kind})
            made += 1
    return made


async def _make(
    dependencies: Dependencies, subject: str, idea: Idea, parts: Sequence[AnalyzedPhoto], previews: Previews
) -> bool:
    """Make a suggestion of an idea; return whether it was made. It is not if a photo of it has gone, or consent has."""
    pictures = await previews.load(idea.media)
    if len(pictures) < len(parts):
        return False
    photos = [part.photo for part in parts]
    drawn = await asyncio.to_thread(illustrate, idea.kind, photos, pictures, dependencies.draw)
    delete_time = min(part.delete_time for part in parts)
    # Drawing takes time: a key that would end before it is used is not asked for.
    if delete_time <= dependencies.clock.now() + KEY_MARGIN:
        return False
    try:
        keys = await _keys(dependencies.keyring, subject, idea, len(drawn), delete_time)
    except MediaErased:
        return False
    return keys is not None and await commit(dependencies, subject, idea, drawn, keys, delete_time)


async def _keys(keyring: Keyring, subject: str, idea: Idea, count: int, delete_time: datetime) -> list[DataKey] | None:
    """Return a key for the record and one for each rendition; nothing if the purpose of the idea was withdrawn."""
    new = NewDataKey(delete_time, tuple(idea.media))
    if idea.purpose is Purpose.CLOUD_PROCESSING:
        return await keyring.create(subject=subject, purpose=Purpose.CLOUD_PROCESSING, keys=[new] * (1 + count))
    of_renditions = await keyring.create(subject=subject, purpose=Purpose.CLOUD_PROCESSING, keys=[new] * count)
    try:
        return [*await keyring.create(subject=subject, purpose=idea.purpose, keys=[new]), *of_renditions]
    except PurposeNotGranted:
        return None
