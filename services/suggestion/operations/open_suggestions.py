"""Person's suggestions, opened: rows whose keys are gone have gone with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.chassis.seal import SealBroken, open_bytes
from services.keyring import Keyring, Purpose, PurposeNotGranted, artefact_aad
from services.suggestion.domain import idea_records
from services.suggestion.domain.suggestions import Idea, State
from services.suggestion.errors import SuggestionNotFound
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.ports import RenditionRow, SuggestionRow

_BASE = Purpose.CLOUD_PROCESSING
"""What renditions are sealed for; the record itself may be sealed for a purpose that needs this one too."""


@dataclass(frozen=True)
class OpenSuggestion:
    """A suggestion with its row, what it is about, and its renditions' rows."""

    row: SuggestionRow
    idea: Idea
    renditions: tuple[RenditionRow, ...] = ()

    @property
    def state(self) -> State:
        """Where it stands."""
        return State(self.row.state)


async def open_all(dependencies: Dependencies, *, subject: str) -> list[OpenSuggestion]:
    """Return every suggestion of a person that can still be opened, dismissed and expired ones included.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
    """
    async with dependencies.database.transaction() as store:
        rows = await store.suggestions.of_person(subject)
        renditions = await store.suggestions.renditions([row.id for row in rows])
    keys = await dependencies.keyring.open(subject=subject, purpose=_BASE, ids=_ids(rows, _BASE))
    for purpose in {row.purpose for row in rows} - {_BASE}:
        keys |= await _open_if_granted(dependencies.keyring, subject, purpose, _ids(rows, purpose))
    return _opened(rows, renditions, keys)


async def open_one(dependencies: Dependencies, *, subject: str, suggestion_id: UUID) -> OpenSuggestion:
    """Return one suggestion of a person.

    Raises:
        SuggestionNotFound: there is none, or it can no longer be opened.
    """
    async with dependencies.database.transaction() as store:
        row = await store.suggestions.find(subject, suggestion_id)
        renditions = await store.suggestions.renditions([suggestion_id]) if row else []
    keys = await _keys_of_one(dependencies.keyring, row, renditions) if row else {}
    found = _opened([row], renditions, keys) if row else []
    if not found:
        raise SuggestionNotFound.of(suggestion_id)
    return found[0]


async def rendition_key(dependencies: Dependencies, *, subject: str, row: RenditionRow) -> bytes | None:
    """Return the key of a rendition; nothing if it is gone."""
    keys = await _open_if_granted(dependencies.keyring, subject, _BASE, [str(row.data_key_id)])
    return keys.get(str(row.data_key_id))


async def _keys_of_one(keyring: Keyring, row: SuggestionRow, renditions: Sequence[RenditionRow]) -> dict[str, bytes]:
    keys = await _open_if_granted(keyring, row.subject, row.purpose, [str(row.data_key_id)])
    if row.purpose == _BASE:
        return keys
    of_renditions = await _open_if_granted(keyring, row.subject, _BASE, [str(each.data_key_id) for each in renditions])
    return keys if of_renditions else {}


async def _open_if_granted(keyring: Keyring, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
    try:
        return await keyring.open(subject=subject, purpose=purpose, ids=ids)
    except PurposeNotGranted:
        return {}


def _ids(rows: Sequence[SuggestionRow], purpose: str) -> list[str]:
    return [str(row.data_key_id) for row in rows if row.purpose == purpose]


def _opened(
    rows: Sequence[SuggestionRow], renditions: Sequence[RenditionRow], keys: Mapping[str, bytes]
) -> list[OpenSuggestion]:
    found = []
    for row in rows:
        key = keys.get(str(row.data_key_id))
        if key is None:
            continue
        try:
            idea = idea_records.unpack(open_bytes(key, row.sealed, artefact_aad(row.data_key_id, row.purpose)))
        except SealBroken:
            # Altered bytes are as good as gone; the next refresh makes the suggestion again.
            continue
        found.append(OpenSuggestion(row, idea, tuple(each for each in renditions if each.suggestion_id == row.id)))
    return found
