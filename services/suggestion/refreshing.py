"""Making ideas: look at what is understood, decide what is missing, draw it, seal it, store it."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from PIL import Image

from services.chassis.clock import Clock
from services.chassis.object_store import ObjectStore, random_name
from services.chassis.seal import seal_bytes, seal_object
from services.keyring import DataKey, Keyring, MediaErased, NewDataKey, PurposeNotGranted
from services.suggestion import collage, collection, ideas, layouts, pages, planning, records
from services.suggestion.collage import Drawn
from services.suggestion.domain import Idea, Photo, State
from services.suggestion.layouts import Page
from services.suggestion.ports import Analysis, Database, Understood
from services.suggestion.rows import RenditionRow, SuggestionRow

_log = structlog.stdlib.get_logger()

CACHED_PICTURES = 24
Draw = Callable[[Page, Mapping[str, Image.Image]], Drawn]
KEY_MARGIN = timedelta(seconds=1)


@dataclass(frozen=True)
class Workshop:
    """Everything that making ideas needs."""

    database: Database
    analysis: Analysis
    keyring: Keyring
    objects: ObjectStore
    bucket: str
    clock: Clock
    draw: Draw = collage.draw


async def refresh(workshop: Workshop, *, subject: str) -> int:
    """Make what is missing, then remove what no longer holds; return how many ideas were made.

    One refresh at a time works on a person. It can be cut off anywhere: what is stored is whole, the rest is made
    next time.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
        DependencyUnavailable: a server does not answer.
    """
    async with workshop.database.turn(subject):
        started = workshop.clock.now()
        understood = {each.photo.media: each for each in await workshop.analysis.photos(subject)}
        plan = planning.plan(
            ideas.find(each.photo for each in understood.values()), await _existing(workshop, subject), started
        )
        made = await _make_all(workshop, subject, plan.make, understood)
        await remove(workshop, subject=subject, suggestion_ids=plan.remove)
        async with workshop.database.transaction() as store:
            await store.done(subject, started)
        return made


async def remove(workshop: Workshop, *, subject: str, suggestion_ids: Sequence[UUID]) -> None:
    """Remove ideas that were replaced: keys first, then objects, then rows."""
    if not suggestion_ids:
        return
    async with workshop.database.transaction() as store:
        rows = [row for row in await store.suggestions(subject) if row.id in set(suggestion_ids)]
        renditions = await store.renditions([row.id for row in rows])
    keys = [str(row.data_key_id) for row in rows] + [str(row.data_key_id) for row in renditions]
    await workshop.keyring.destroy(subject=subject, ids=keys)
    await workshop.objects.delete(workshop.bucket, [row.object for row in renditions])
    async with workshop.database.locked(subject) as store:
        await store.delete_suggestions(suggestion_ids)
        await store.notify(subject)


async def _existing(workshop: Workshop, subject: str) -> list[planning.Existing]:
    opened = await collection.everything(subject=subject, database=workshop.database, keyring=workshop.keyring)
    return [planning.Existing(each.row.id, each.state, each.idea, each.row.update_time) for each in opened]


async def _make_all(workshop: Workshop, subject: str, wanted: Sequence[Idea], understood: dict[str, Understood]) -> int:
    pictures = _Pictures(workshop.analysis, subject)
    made = 0
    for idea in wanted:
        made += await _make(workshop, subject, idea, understood, pictures)
    return made


async def _make(
    workshop: Workshop, subject: str, idea: Idea, understood: dict[str, Understood], pictures: _Pictures
) -> bool:
    """Make one idea; return whether it was made. It is not if a photo of it has gone, or consent has."""
    parts = [understood[media] for media in idea.media]
    loaded = await pictures.load([part.photo.media for part in parts])
    if len(loaded) < len(parts):
        return False
    drawings = await asyncio.to_thread(_draw, workshop.draw, idea, [part.photo for part in parts], loaded)
    delete_time = min(part.delete_time for part in parts)
    if delete_time <= workshop.clock.now() + KEY_MARGIN:
        return False
    try:
        keys = await _keys(workshop.keyring, subject, idea, len(drawings), delete_time)
    except MediaErased:
        return False
    return keys is not None and await _store(workshop, subject, idea, drawings, keys, delete_time)


async def _keys(
    keyring: Keyring, subject: str, idea: Idea, drawings: int, delete_time: datetime
) -> list[DataKey] | None:
    """Return a key for the idea and one for each drawing; nothing if the purpose of the idea was withdrawn."""
    new = NewDataKey(delete_time, tuple(idea.media))
    if idea.purpose == collection.PURPOSE:
        return await keyring.create(subject=subject, purpose=collection.PURPOSE, keys=[new] * (1 + drawings))
    of_pictures = await keyring.create(subject=subject, purpose=collection.PURPOSE, keys=[new] * drawings)
    try:
        return [*await keyring.create(subject=subject, purpose=idea.purpose, keys=[new]), *of_pictures]
    except PurposeNotGranted:
        return None


def _draw(
    draw: Draw, idea: Idea, photos: Sequence[Photo], loaded: Mapping[str, Image.Image]
) -> list[tuple[Page, Drawn]]:
    focus = {media: collage.focus_of(picture) for media, picture in loaded.items()}
    found = pages.pages(idea.kind, photos, lambda photo: focus.get(photo.media, layouts.centre(photo)))
    return [(page, draw(page, loaded)) for page in found]


async def _store(
    workshop: Workshop,
    subject: str,
    idea: Idea,
    drawings: Sequence[tuple[Page, Drawn]],
    keys: Sequence[DataKey],
    delete_time: datetime,
) -> bool:
    suggestion = _suggestion_row(subject, idea, keys[0], workshop.clock.now(), delete_time)
    renditions = [
        _rendition_row(suggestion.id, number, page, drawn, key)
        for number, ((page, drawn), key) in enumerate(zip(drawings, keys[1:], strict=True), 1)
    ]
    for row, (_, drawn), key in zip(renditions, drawings, keys[1:], strict=True):
        sealed = await asyncio.to_thread(seal_object, key.key, drawn.content, collection.associated(key.id))
        await workshop.objects.put(workshop.bucket, row.object, sealed)
    async with workshop.database.locked(subject) as store:
        written = await store.add_suggestion(suggestion)
        for row in renditions if written else ():
            await store.add_rendition(row)
        await store.notify(subject)
    if not written:
        await workshop.objects.delete(workshop.bucket, [row.object for row in renditions])
    return written


def _suggestion_row(subject: str, idea: Idea, key: DataKey, now: datetime, delete_time: datetime) -> SuggestionRow:
    return SuggestionRow(
        id=uuid4(),
        subject=subject,
        state=State.READY.value,
        purpose=idea.purpose,
        data_key_id=UUID(key.id),
        purpose_revision=key.purpose_revision,
        sealed=seal_bytes(key.key, records.pack(idea), collection.associated(key.id, idea.purpose)),
        create_time=now,
        update_time=now,
        delete_time=delete_time,
    )


def _rendition_row(suggestion_id: UUID, number: int, page: Page, drawn: Drawn, key: DataKey) -> RenditionRow:
    return RenditionRow(
        suggestion_id=suggestion_id,
        number=number,
        data_key_id=UUID(key.id),
        object=random_name(),
        layout=page.layout,
        content_type="image/jpeg",
        width=drawn.width,
        height=drawn.height,
        size_bytes=len(drawn.content),
    )


class _Pictures:
    """Decoded pictures of one person for one refresh: the last few, since ideas share photos."""

    def __init__(self, analysis: Analysis, subject: str) -> None:
        self._analysis = analysis
        self._subject = subject
        self._decoded: OrderedDict[str, Image.Image] = OrderedDict()

    async def load(self, media: Sequence[str]) -> dict[str, Image.Image]:
        """Return the pictures that are there, by media."""
        found = {}
        for name in media:
            picture = await self._one(name)
            if picture is not None:
                found[name] = picture
        return found

    async def _one(self, name: str) -> Image.Image | None:
        if name not in self._decoded:
            content = await self._analysis.picture(self._subject, name)
            if content is None:
                return None
            try:
                self._decoded[name] = await asyncio.to_thread(_decode, content)
            except OSError as error:
                _log.warning("preview_broken", media=name, exc_info=error)
                return None
        self._decoded.move_to_end(name)
        while len(self._decoded) > CACHED_PICTURES:
            self._decoded.popitem(last=False)
        return self._decoded[name]


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
