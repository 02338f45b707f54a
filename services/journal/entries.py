"""Entries of the journal: ids, fencing numbers and times; a person is a salted tag, where one must be found again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

_TAG_CHARACTERS = 32


@dataclass(frozen=True)
class Beginning:
    """First entry of a journal."""


@dataclass(frozen=True)
class PurposeKeyEnd:
    """A purpose key that is gone.

    Attributes:
        revision: Its fencing number.
        tag: Whose it was (`person_tag`).
    """

    revision: int
    tag: str


@dataclass(frozen=True)
class ErasedPerson:
    """A person of whom everything was erased.

    Attributes:
        tag: Who (`person_tag`).
        revision: All keys with this fencing number or a lower one are gone.
        time: Decisions made until then count no more.
        account: Whether the account went as well.
    """

    tag: str
    revision: int
    time: datetime
    account: bool = False


@dataclass(frozen=True)
class Destruction:
    """What was destroyed, ended or narrowed.

    Attributes:
        salt: Of the tags in it; another one each day, so that tags of different days cannot be joined.
        purpose_keys: Purpose keys that are gone.
        data_keys: Ids of data keys that are gone.
        media: Media that end earlier than they would have, and when.
        bounds: Purpose keys by fencing number, and since when what they cover must have been taken.
        persons: Persons that were erased.
        epochs: Days whose keys are gone for good.
    """

    salt: str = ""
    purpose_keys: tuple[PurposeKeyEnd, ...] = ()
    data_keys: tuple[str, ...] = ()
    media: tuple[tuple[str, datetime], ...] = ()
    bounds: tuple[tuple[int, datetime], ...] = ()
    persons: tuple[ErasedPerson, ...] = ()
    epochs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RevisionsReserved:
    """Fencing numbers that may have been handed out: a database that was restored begins above them."""

    until: int


@dataclass(frozen=True)
class LossAccepted:
    """Word of an operator that what a journal held, or may have held, up to a number is lost and shall not be awaited.

    Attributes:
        journal: Id of the journal, this one or one that is gone.
        number: The highest number lost.
    """

    journal: str
    number: int


Entry: TypeAlias = Beginning | Destruction | RevisionsReserved | LossAccepted


def person_tag(salt: str, subject: str) -> str:
    """Return the tag of a person: the pseudonym leads to it, and it does not lead back.

    SQL says the same as `left(encode(sha256(convert_to(salt || subject, 'UTF8')), 'hex'), 32)`.
    """
    return hashlib.sha256(f"{salt}{subject}".encode()).hexdigest()[:_TAG_CHARACTERS]
