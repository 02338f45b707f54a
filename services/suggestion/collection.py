"""A person's ideas, opened: rows whose keys are gone have gone with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.chassis.seal import SealBroken, open_bytes
from services.keyring import Keyring, PurposeNotGranted
from services.suggestion import records
from services.suggestion.domain import Idea, State
from services.suggestion.errors import SuggestionNotFound
from services.suggestion.ports import Database
from services.suggestion.rows import RenditionRow, SuggestionRow

PURPOSE = "CLOUD_PROCESSING"
"""What pictures of ideas are sealed for; ideas themselves may be sealed for one that needs this one too."""


@dataclass(frozen=True)
class Opened:
    """An idea with its row and its pictures' rows."""

    row: SuggestionRow
    idea: Idea
    renditions: tuple[RenditionRow, ...] = ()

    @property
    def state(self) -> State:
        """Where it stands."""
        return State(self.row.state)


def associated(data_key_id: UUID | str, purpose: str = PURPOSE) -> bytes:
    """Return what a seal is bound to: the artefact and the purpose."""
    return f"{data_key_id}|{purpose}".encode()


async def everything(*, subject: str, database: Database, keyring: Keyring) -> list[Opened]:
    """Return every idea of a person that can still be opened, dismissed and expired ones included.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
    """
    async with database.transaction() as store:
        rows = await store.suggestions(subject)
        renditions = await store.renditions([row.id for row in rows])
    keys = await keyring.open(subject=subject, purpose=PURPOSE, ids=_ids(rows, PURPOSE))
    for purpose in {row.purpose for row in rows} - {PURPOSE}:
        keys |= await _open_if_granted(keyring, subject, purpose, _ids(rows, purpose))
    return _opened(rows, renditions, keys)


async def one(*, subject: str, suggestion_id: UUID, database: Database, keyring: Keyring) -> Opened:
    """Return one idea of a person.

    Raises:
        SuggestionNotFound: there is none, or it can no longer be opened.
    """
    async with database.transaction() as store:
        row = await store.suggestion(subject, suggestion_id)
        renditions = await store.renditions([suggestion_id]) if row else []
    found = []
    if row is not None:
        keys = await _keys_of_one(keyring, row, renditions)
        found = _opened([row], renditions, keys)
    if not found:
        raise missing(suggestion_id)
    return found[0]


async def picture_key(*, subject: str, row: RenditionRow, keyring: Keyring) -> bytes | None:
    """Return the key of a picture; nothing if it is gone."""
    keys = await _open_if_granted(keyring, subject, PURPOSE, [str(row.data_key_id)])
    return keys.get(str(row.data_key_id))


def missing(suggestion_id: UUID) -> SuggestionNotFound:
    """Return the error that says so."""
    return SuggestionNotFound(
        f"there is no suggestion suggestions/{suggestion_id}; list yours with ListSuggestions",
        metadata={"suggestion": f"suggestions/{suggestion_id}"},
    )


def offered(opened: Sequence[Opened]) -> list[Opened]:
    """Return the ideas that a person is shown, best first."""
    shown = [each for each in opened if each.state not in (State.DISMISSED, State.EXPIRED)]
    return sorted(shown, key=lambda each: (-each.idea.score, each.idea.anchor, str(each.row.id)))


async def _keys_of_one(keyring: Keyring, row: SuggestionRow, renditions: Sequence[RenditionRow]) -> dict[str, bytes]:
    keys = await _open_if_granted(keyring, row.subject, row.purpose, [str(row.data_key_id)])
    if row.purpose == PURPOSE:
        return keys
    of_pictures = await _open_if_granted(keyring, row.subject, PURPOSE, [str(each.data_key_id) for each in renditions])
    return keys if of_pictures else {}


async def _open_if_granted(keyring: Keyring, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
    try:
        return await keyring.open(subject=subject, purpose=purpose, ids=ids)
    except PurposeNotGranted:
        return {}


def _ids(rows: Sequence[SuggestionRow], purpose: str) -> list[str]:
    return [str(row.data_key_id) for row in rows if row.purpose == purpose]


def _opened(
    rows: Sequence[SuggestionRow], renditions: Sequence[RenditionRow], keys: Mapping[str, bytes]
) -> list[Opened]:
    found = []
    for row in rows:
        key = keys.get(str(row.data_key_id))
        if key is None:
            continue
        try:
            idea = records.unpack(open_bytes(key, row.sealed, associated(row.data_key_id, row.purpose)))
        except SealBroken:
            # Altered bytes are as good as gone; the next refresh makes the idea again.
            continue
        pictures = tuple(each for each in renditions if each.suggestion_id == row.id)
        found.append(Opened(row, idea, pictures))
    return found
