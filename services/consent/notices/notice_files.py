"""Reader of notices: JSON documents with a closed schema, checked against the rules of this release."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.consent.domain.needs import NEEDS
from services.consent.domain.notice import (
    EDITION_PATTERN,
    Notice,
    NoticeBundle,
    NoticeText,
    PurposeFacts,
    PurposeText,
)
from services.consent.errors import NoticeInvalid
from services.keyring import PURPOSES, Purpose

_CLOSED = ConfigDict(frozen=True, extra="forbid")
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _Facts(BaseModel):
    model_config = _CLOSED

    retention_days: Annotated[int, Field(ge=1, le=30)]
    validity_months: Annotated[int, Field(ge=1, le=12)]
    needs: tuple[Purpose, ...]
    recipients: tuple[str, ...]


class _PurposeText(BaseModel):
    model_config = _CLOSED

    title: _Text
    body: _Text


class _NoticeText(BaseModel):
    model_config = _CLOSED

    title: _Text
    body: _Text
    purposes: Mapping[Purpose, _PurposeText]

    def text(self) -> NoticeText:
        said = {purpose: PurposeText(each.title, each.body) for purpose, each in self.purposes.items()}
        return NoticeText(self.title, self.body, said)


class _Document(BaseModel):
    model_config = _CLOSED

    # Named as in the file; pydantic's own `schema` is deprecated and of no use here.
    schema_: Annotated[Literal["pellicule.notice/1"], Field(alias="schema")]
    edition: Annotated[str, StringConstraints(pattern=EDITION_PATTERN)]
    purposes: Mapping[Purpose, _Facts]
    texts: Annotated[Mapping[_Language, _NoticeText], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_complete(self) -> "_Document":
        tables = {"purposes": self.purposes, **{f"texts.{k}.purposes": v.purposes for k, v in self.texts.items()}}
        spoken_of = frozenset[Purpose]().union(*tables.values())
        for place, table in tables.items():
            missing = sorted(spoken_of - table.keys())
            if missing:
                raise ValueError(f"{place} lacks {', '.join(missing)}: say something about every purpose")
        return self

    def bundle(self) -> NoticeBundle:
        return NoticeBundle(
            edition=self.edition,
            purposes={purpose: PurposeFacts(**dict(facts)) for purpose, facts in self.purposes.items()},
            texts={language: text.text() for language, text in self.texts.items()},
        )


def parse_notice(content: bytes, *, source: str) -> Notice:
    """Return the notice in a JSON document.

    Args:
        content: The document, however it is laid out.
        source: Where it comes from, for error messages.

    Raises:
        NoticeInvalid: it is no JSON, or not a complete bundle.
    """
    try:
        document = _Document.model_validate_json(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, i['loc'])) or 'the bundle'}: {i['msg']}" for i in error.errors())
        raise NoticeInvalid.in_file(source, problems) from error
    return Notice(rfc8785.dumps(document.model_dump(mode="json", by_alias=True)), document.bundle())


def reopen_notice(canonical_json: bytes) -> Notice:
    """Return a notice that was published, by its canonical bytes: they stay as they are."""
    return Notice(canonical_json, _Document.model_validate_json(canonical_json).bundle())


def read_notices(directory: Path, offered: Collection[Purpose]) -> tuple[Notice, ...]:
    """Return the notices in the `*.json` files of a directory, oldest edition first.

    The newest has to say what the rules of this release are; those before it said what held in their time.

    Args:
        directory: Where they are.
        offered: The purposes that policy offers: those that the newest speaks of, and no others.

    Raises:
        NoticeInvalid: there is none, one cannot be used, two are of one edition, or the newest contradicts the rules.
    """
    files = {path: parse_notice(path.read_bytes(), source=str(path)) for path in sorted(directory.glob("*.json"))}
    if not files:
        raise NoticeInvalid.none_in(directory)
    if len({notice.bundle.edition for notice in files.values()}) < len(files):
        raise NoticeInvalid.edition_twice_in(directory)
    newest = max(files, key=lambda path: files[path].bundle.edition)
    if broken := "; ".join(_broken_rules(files[newest].bundle, offered)):
        raise NoticeInvalid.in_file(str(newest), broken)
    return tuple(sorted(files.values(), key=lambda notice: notice.bundle.edition))


def _broken_rules(bundle: NoticeBundle, offered: Collection[Purpose]) -> Iterator[str]:
    for purpose in PURPOSES:
        facts = bundle.purposes.get(purpose)
        if purpose not in offered:
            if facts is not None:
                yield f"purposes.{purpose}: policy offers it nowhere (not_offered), so leave it out"
        elif facts is None:
            yield f"purposes lacks {purpose}: say something about it, or list it in the policy's not_offered"
        elif frozenset(facts.needs) != NEEDS[purpose]:
            rule = ", ".join(sorted(NEEDS[purpose])) or "nothing"
            yield f"purposes.{purpose}.needs: write {rule}, which is the rule of this release"
