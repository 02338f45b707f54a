"""Notices: what people are told before they decide, named by the digest of what they say.

A notice's digest is the SHA-256 of the RFC 8785 canonical JSON of the whole bundle, all languages and all purposes, so
that no word of it can change without becoming another notice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from services.consent.domain.change import Request
from services.keyring import PURPOSES, Purpose

EDITION_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[0-9])?$"
"""The day of a notice, with a number if it is not the first of that day; the newest is the greatest."""


@dataclass(frozen=True)
class PurposeFacts:
    """What holds for a purpose in every language; how long a grant is valid is taken from here."""

    retention_days: int
    validity_months: int
    needs: tuple[Purpose, ...]
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class PurposeText:
    """One purpose in one language."""

    title: str
    body: str


@dataclass(frozen=True)
class NoticeText:
    """A notice in one language."""

    title: str
    body: str
    purposes: Mapping[Purpose, PurposeText]


@dataclass(frozen=True)
class NoticeBundle:
    """A notice as it is written down: every purpose that there was, in every language that it has."""

    edition: str
    purposes: Mapping[Purpose, PurposeFacts]
    texts: Mapping[str, NoticeText]


@dataclass(frozen=True)
class Notice:
    """A notice, known by the digest of its canonical bytes.

    Attributes:
        canonical_json: All that it says, in the one form that RFC 8785 allows.
        bundle: The same, read.
    """

    canonical_json: bytes
    bundle: NoticeBundle

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in lower-case hex."""
        return hashlib.sha256(self.canonical_json).hexdigest()

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


class Surface(StrEnum):
    """Where a notice is shown."""

    CLI = "CLI"
    IOS = "IOS"
    ANDROID = "ANDROID"
    WEB = "WEB"


@dataclass(frozen=True)
class NoticeDisplay:
    """A notice shown to a person, as their application reports it."""

    request: Request
    notice: str
    language_code: str
    surface: Surface
    build: str
    rendered_sha256: str

    def serving(self, serving_id: UUID, language_code: str, now: datetime) -> "NoticeServing":
        """Return the record of it, in the language of the text that was shown."""
        return NoticeServing(
            id=serving_id,
            notice=self.notice,
            language_code=language_code,
            surface=self.surface,
            build=self.build,
            rendered_sha256=self.rendered_sha256,
            serve_time=now,
        )


@dataclass(frozen=True)
class NoticeServing:
    """A record that a notice was shown to a person, kept apart from what they chose."""

    id: UUID
    notice: str
    language_code: str
    surface: Surface
    build: str
    rendered_sha256: str
    serve_time: datetime


def changed_purposes(old: NoticeBundle, new: NoticeBundle) -> Sequence[Purpose]:
    """Return the purposes whose facts or texts differ, a language that comes or goes included."""
    return [purpose for purpose in PURPOSES if _said_of(old, purpose) != _said_of(new, purpose)]


def _said_of(bundle: NoticeBundle, purpose: Purpose) -> tuple[PurposeFacts | None, Mapping[str, PurposeText | None]]:
    said = {language: text.purposes.get(purpose) for language, text in bundle.texts.items()}
    facts = bundle.purposes.get(purpose)
    return facts, {} if facts is None else said
