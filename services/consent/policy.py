"""What is offered where and to whom: a versioned data file with a closed schema, read at start.

An unknown region or age gets the strictest row. Policy can only withhold a purpose from being asked for;
nothing in it can grant one, and nothing in it can prevent a refusal or a withdrawal.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.consent.domain import Age, AgeBand, Basis, Jurisdiction, Purpose

REGION_PATTERN = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
"""ISO 3166-1 alpha-2 or ISO 3166-2, in upper case."""

_RegionCode = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
_CLOSED = ConfigDict(frozen=True, extra="forbid")

_STATE_REGION = (
    "State the region as an ISO 3166 code in upper case, in the United States with the state, "
    "such as CA or US-NY, and how it is known."
)


class PolicyInvalid(ValueError):
    """The policy file cannot be used; the message names the file, the place and the remedy."""


class _WhenUnknown(BaseModel):
    model_config = _CLOSED

    offers: frozenset[Purpose]


class _Row(BaseModel):
    model_config = _CLOSED

    codes: Annotated[tuple[_RegionCode, ...], Field(min_length=1)]
    enabled: bool
    withheld: Mapping[Purpose, str] = {}
    needs_subdivision: frozenset[Purpose] = frozenset()
    subdivisions: frozenset[str] | None = None

    def covers(self, subdivision: str) -> bool:
        return self.subdivisions is None or subdivision in self.subdivisions


class _Document(BaseModel):
    model_config = _CLOSED

    version: str
    minimum_age: Annotated[int, Field(ge=13, le=120)]
    when_unknown: _WhenUnknown
    regions: Annotated[tuple[_Row, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "_Document":
        codes = [code for row in self.regions for code in row.codes]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice: keep one row for each region")
        return self


@dataclass(frozen=True)
class Availability:
    """Whether a purpose may be asked for; if not, why not and what the person can do about it."""

    purpose: Purpose
    available: bool
    reason: str = ""
    remedy: str = ""


class Policy:
    """A policy file that was read and found good."""

    def __init__(self, document: _Document, content: bytes) -> None:
        self._document = document
        self._rows = {code: row for row in document.regions for code in row.codes}
        self.version = document.version
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()

    def availability(self, jurisdiction: Jurisdiction, age: Age) -> tuple[Availability, ...]:
        """Returns a row for each purpose, in the order of the enum."""
        return tuple(self.available(purpose, jurisdiction, age) for purpose in Purpose)

    def available(self, purpose: Purpose, jurisdiction: Jurisdiction, age: Age) -> Availability:
        """Says whether `purpose` may be asked for; age first, then region, the strictest answer wins."""
        answer = self._by_age(purpose, age)
        return self._by_region(purpose, jurisdiction) if answer.available else answer

    def _by_age(self, purpose: Purpose, age: Age) -> Availability:
        years = self._document.minimum_age
        if age.band is AgeBand.MINOR:
            return _withheld(purpose, f"it is offered to people of {years} years and over only.")
        if age.band is AgeBand.UNSPECIFIED or age.basis is Basis.UNSPECIFIED:
            remedy = f"State whether the person is {years} years old or over, and how that is known."
            return self._unknown(purpose, "the age is not known, so the strictest rule applies.", remedy)
        return Availability(purpose, available=True)

    def _by_region(self, purpose: Purpose, jurisdiction: Jurisdiction) -> Availability:
        code = jurisdiction.region_code
        if not code or jurisdiction.basis is Basis.UNSPECIFIED:
            why = "the region is not known, so the strictest rule applies."
            return self._unknown(purpose, why, _STATE_REGION)
        row = self._row(code)
        if row is None:
            return self._unknown(purpose, f"no rule of this installation's policy covers {code}.", "")
        return _by_row(purpose, code, row)

    def _row(self, code: str) -> _Row | None:
        if code in self._rows:
            return self._rows[code]
        country, _, subdivision = code.partition("-")
        row = self._rows.get(country)
        return row if row is not None and row.covers(subdivision) else None

    def _unknown(self, purpose: Purpose, reason: str, remedy: str) -> Availability:
        if purpose in self._document.when_unknown.offers:
            return Availability(purpose, available=True)
        return _withheld(purpose, reason, remedy)


def _by_row(purpose: Purpose, code: str, row: _Row) -> Availability:
    if not row.enabled:
        return _withheld(purpose, f"it is not offered in {code} yet.")
    if purpose in row.withheld:
        return _withheld(purpose, row.withheld[purpose])
    if purpose in row.needs_subdivision and code in row.codes and "-" not in code:
        return _withheld(
            purpose,
            f"in {code} it depends on the state or province, which is not known.",
            f"State it as well, as an ISO 3166-2 code that begins with {code}-.",
        )
    return Availability(purpose, available=True)


def _withheld(purpose: Purpose, reason: str, remedy: str = "") -> Availability:
    return Availability(purpose, available=False, reason=reason, remedy=remedy)


def parse_policy(content: bytes, *, source: str) -> Policy:
    """Returns the policy in a YAML document.

    Args:
        content: The file's bytes; their SHA-256 names the policy.
        source: Where they come from, for error messages.

    Raises:
        PolicyInvalid: it is no YAML, or holds something that the schema does not know.
    """
    try:
        document = _Document.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise PolicyInvalid(f"{source}: is no YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{_path(item['loc'])}: {item['msg']}" for item in error.errors())
        raise PolicyInvalid(f"{source}: {problems}") from error
    return Policy(document, content)


def read_policy(path: Path) -> Policy:
    """Returns the policy in a file; raises as `parse_policy` and if there is no file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyInvalid(f"{path}: cannot be read: {error.strerror}") from error
    return parse_policy(content, source=str(path))


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".") or "the document"
