"""What an owner does with an idea: look, keep, put away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.chassis.events import OutgoingEvent
from services.chassis.object_store import ObjectMissing, ObjectStore
from services.chassis.seal import SealBroken, StreamOpener
from services.keyring import Keyring
from services.suggestion import collection
from services.suggestion.collection import Opened
from services.suggestion.domain import Act, State, after
from services.suggestion.errors import RenditionNotFound, RequestIdReused, StateNotAllowed
from services.suggestion.ports import Database, Store
from services.suggestion.rows import RenditionRow

SavedEvent = Callable[[str, Opened], OutgoingEvent]


async def act(
    *,
    subject: str,
    suggestion_id: UUID,
    request_id: UUID,
    what: Act,
    database: Database,
    keyring: Keyring,
    clock: Clock,
    saved_event: SavedEvent,
) -> Opened:
    """Keep or put away an idea; a repeated request changes nothing.

    Raises:
        SuggestionNotFound: there is no such idea for this person.
        StateNotAllowed: the life cycle does not allow it.
        RequestIdReused: the request id stands for another request.
    """
    opened = await collection.one(subject=subject, suggestion_id=suggestion_id, database=database, keyring=keyring)
    async with database.locked(subject) as store:
        if not await _repeated(store, subject, suggestion_id, request_id, what):
            await _move(store, opened, what, clock.now())
            await store.add_act(subject, request_id, suggestion_id, what, clock.now())
            if what is Act.SAVE:
                await store.publish(saved_event(subject, opened))
    return await collection.one(subject=subject, suggestion_id=suggestion_id, database=database, keyring=keyring)


async def read_rendition(
    *,
    subject: str,
    suggestion_id: UUID,
    number: int,
    database: Database,
    keyring: Keyring,
    objects: ObjectStore,
    bucket: str,
    clock: Clock,
) -> AsyncIterator[bytes]:
    """Yield a picture of an idea, unsealed; an idea looked at for the first time is seen.

    Raises:
        SuggestionNotFound: there is no such idea for this person.
        RenditionNotFound: the idea has no such picture, or it can no longer be opened.
        DependencyUnavailable: the object store does not answer, or holds other bytes than were stored.
    """
    opened = await collection.one(subject=subject, suggestion_id=suggestion_id, database=database, keyring=keyring)
    row = next((each for each in opened.renditions if each.number == number), None)
    if row is None:
        raise _missing(suggestion_id, number)
    key = await collection.picture_key(subject=subject, row=row, keyring=keyring)
    if key is None:
        raise _missing(suggestion_id, number)
    try:
        async for part in _unsealed(row, key, objects, bucket):
            yield part
    except ObjectMissing as error:
        raise _missing(suggestion_id, number) from error
    except SealBroken as error:
        raise DependencyUnavailable("the object store returned altered bytes: tell the operator") from error
    if opened.state is State.READY:
        async with database.locked(subject) as store:
            current = await store.suggestion(subject, suggestion_id)
            if current is not None and current.state == State.READY:
                await store.set_state(suggestion_id, State.SEEN, clock.now())
                await store.notify(subject)


async def _unsealed(row: RenditionRow, key: bytes, objects: ObjectStore, bucket: str) -> AsyncIterator[bytes]:
    opener = StreamOpener(key, collection.associated(row.data_key_id))
    async for piece in objects.stream(bucket, row.object):
        if part := opener.update(piece):
            yield part
    yield opener.finish()


async def _repeated(store: Store, subject: str, suggestion_id: UUID, request_id: UUID, what: Act) -> bool:
    before = await store.act(subject, request_id)
    if before is None:
        return False
    if (before.suggestion_id, before.act) != (suggestion_id, what.value):
        raise RequestIdReused(
            "this request_id was used for another request: make a new one for each request",
            metadata={"request_id": str(request_id)},
        )
    return True


async def _move(store: Store, opened: Opened, what: Act, now: datetime) -> None:
    row = await store.suggestion(opened.row.subject, opened.row.id)
    if row is None:
        raise collection.missing(opened.row.id)
    state = State(row.state)
    target = after(state, what)
    if target is None:
        raise StateNotAllowed(
            f"a suggestion that is {state.value} cannot be {what.value}d: list the others with ListSuggestions",
            metadata={"state": state.value, "act": what.value},
        )
    await store.set_state(opened.row.id, target, now)
    await store.notify(opened.row.subject)


def _missing(suggestion_id: UUID, number: int) -> RenditionNotFound:
    name = f"suggestions/{suggestion_id}/renditions/{number}"
    return RenditionNotFound(
        f"there is no rendition {name}; see the suggestion's renditions", metadata={"rendition": name}
    )
