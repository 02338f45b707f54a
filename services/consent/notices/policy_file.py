"""Reader of the policy file: YAML with a closed schema."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.chassis.languages import OFFERED
from services.consent.domain.policy import REGION_PATTERN, Policy, RegionRule
from services.consent.errors import PolicyInvalid
from services.keyring import Purpose

_RegionCode = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
_CLOSED = ConfigDict(frozen=True, extra="forbid")


def _every_language(texts: Mapping[str, str]) -> Mapping[str, str]:
    missing = [language for language in OFFERED if not texts.get(language)]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}: say why in every language")
    return texts


_Texts = Annotated[Mapping[str, str], AfterValidator(_every_language)]


class _WhenUnknown(BaseModel):
    model_config = _CLOSED

    offers: frozenset[Purpose]


class _Row(BaseModel):
    model_config = _CLOSED

    codes: Annotated[tuple[_RegionCode, ...], Field(min_length=1)]
    enabled: bool
    withheld: Mapping[Purpose, _Texts] = {}
    needs_subdivision: frozenset[Purpose] = frozenset()
    subdivisions: frozenset[str] | None = None

    def rule(self) -> RegionRule:
        return RegionRule(**dict(self))


class _Document(BaseModel):
    model_config = _CLOSED

    version: str
    minimum_age: Annotated[int, Field(ge=13, le=120)]
    not_offered: Mapping[Purpose, _Texts] = {}
    when_unknown: _WhenUnknown
    regions: Annotated[tuple[_Row, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "_Document":
        codes = [code for row in self.regions for code in row.codes]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice: keep one row for each region")
        return self


def parse_policy(content: bytes, *, source: str) -> Policy:
    """Return the policy in a YAML document.

    Args:
        content: The file's bytes; their SHA-256 names the policy.
        source: Where they come from, for error messages.

    Raises:
        PolicyInvalid: it is no YAML, or holds something that the schema does not know.
    """
    try:
        document = _Document.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise PolicyInvalid.in_file(source, f"is no YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{_path(item['loc'])}: {item['msg']}" for item in error.errors())
        raise PolicyInvalid.in_file(source, problems) from error
    return Policy(
        version=document.version,
        content=content,
        minimum_age=document.minimum_age,
        not_offered=document.not_offered,
        offered_when_unknown=document.when_unknown.offers,
        regions=tuple(row.rule() for row in document.regions),
    )


def read_policy(path: Path) -> Policy:
    """Return the policy in a file; raise as `parse_policy` and if there is no file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyInvalid.in_file(path, f"cannot be read: {error.strerror}") from error
    return parse_policy(content, source=str(path))


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".") or "the document"
