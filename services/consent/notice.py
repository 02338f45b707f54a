"""What people are told before they decide: data files, named by the digest of what they say.

A notice's digest is the SHA-256 of the RFC 8785 canonical JSON of the whole bundle, all locales and all purposes, so
that no word of it can change without becoming another notice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.consent.domain import NEEDS, Purpose

EDITION_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[0-9])?$"
"""The day of a notice, with a number if it is not the first of that day; the newest is the greatest."""

_CLOSED = ConfigDict(frozen=True, extra="forbid")
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class NoticeInvalid(ValueError):
    """A notice file cannot be used; the message names the file, the place and the remedy."""


class PurposeFacts(BaseModel):
    """What holds for a purpose in every language; how long a grant is valid is taken from here."""

    model_config = _CLOSED

    retention_days: Annotated[int, Field(ge=1, le=30)]
    validity_months: Annotated[int, Field(ge=1, le=12)]
    needs: tuple[Purpose, ...]
    recipients: tuple[str, ...]


class PurposeText(BaseModel):
    """One purpose in one language."""

    model_config = _CLOSED

    title: _Text
    body: _Text


class NoticeText(BaseModel):
    """A notice in one language."""

    model_config = _CLOSED

    title: _Text
    body: _Text
    purposes: Mapping[Purpose, PurposeText]


class NoticeBundle(BaseModel):
    """A notice as it is written down: every purpose, in every locale that it has."""

    model_config = _CLOSED

    # Named as in the file; pydantic's own `schema` is deprecated and of no use here.
    schema_: Annotated[Literal["pellicule.notice/1"], Field(alias="schema")]
    edition: Annotated[str, StringConstraints(pattern=EDITION_PATTERN)]
    purposes: Mapping[Purpose, PurposeFacts]
    texts: Annotated[Mapping[_Locale, NoticeText], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_complete(self) -> "NoticeBundle":
        tables = {"purposes": self.purposes, **{f"texts.{k}.purposes": v.purposes for k, v in self.texts.items()}}
        for place, table in tables.items():
            missing = [purpose for purpose in Purpose if purpose not in table]
            if missing:
                raise ValueError(f"{place} lacks {', '.join(missing)}: say something about every purpose")
        return self

    @model_validator(mode="after")
    def _says_what_the_rules_are(self) -> "NoticeBundle":
        for purpose, facts in self.purposes.items():
            if frozenset(facts.needs) != NEEDS[purpose]:
                rule = ", ".join(sorted(NEEDS[purpose])) or "nothing"
                raise ValueError(f"purposes.{purpose}.needs: write {rule}, which is the rule of this release")
        return self


@dataclass(frozen=True)
class Notice:
    """A notice, known by the digest of its canonical bytes."""

    canonical_json: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in lower-case hex."""
        return hashlib.sha256(self.canonical_json).hexdigest()

    @cached_property
    def bundle(self) -> NoticeBundle:
        """What the notice says."""
        return NoticeBundle.model_validate_json(self.canonical_json)

    @property
    def validity_months(self) -> Mapping[Purpose, int]:
        """How long a grant under this notice is valid, by purpose."""
        return {purpose: facts.validity_months for purpose, facts in self.bundle.purposes.items()}


@dataclass(frozen=True)
class PublishedNotice:
    """A notice that came into force.

    Attributes:
        current: Whether it is the one that new grants must name: that of the newest edition.
    """

    notice: Notice
    publish_time: datetime
    current: bool


def parse_notice(content: bytes, *, source: str) -> Notice:
    """Returns the notice in a JSON document.

    Args:
        content: The document, however it is laid out.
        source: Where it comes from, for error messages.

    Raises:
        NoticeInvalid: it is no JSON, or not a complete bundle.
    """
    try:
        bundle = NoticeBundle.model_validate_json(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, i['loc'])) or 'the bundle'}: {i['msg']}" for i in error.errors())
        raise NoticeInvalid(f"{source}: {problems}") from error
    return Notice(rfc8785.dumps(bundle.model_dump(mode="json", by_alias=True)))


def read_notices(directory: Path) -> tuple[Notice, ...]:
    """Returns the notices in the `*.json` files of a directory, oldest edition first.

    Raises:
        NoticeInvalid: there is none, one cannot be used, or two are of one edition.
    """
    notices = [parse_notice(path.read_bytes(), source=str(path)) for path in sorted(directory.glob("*.json"))]
    if not notices:
        raise NoticeInvalid(f"{directory}: holds no notice: put at least one *.json there")
    editions = [notice.bundle.edition for notice in notices]
    if len(set(editions)) < len(editions):
        raise NoticeInvalid(f"{directory}: two files are of one edition: give each notice its own")
    return tuple(sorted(notices, key=lambda notice: notice.bundle.edition))


def changed_purposes(old: NoticeBundle, new: NoticeBundle) -> Sequence[Purpose]:
    """Returns the purposes whose facts or texts differ, a locale that comes or goes included."""
    return [purpose for purpose in Purpose if _said_of(old, purpose) != _said_of(new, purpose)]


def _said_of(bundle: NoticeBundle, purpose: Purpose) -> tuple[PurposeFacts, Mapping[str, PurposeText]]:
    return bundle.purposes[purpose], {locale: text.purposes[purpose] for locale, text in bundle.texts.items()}
