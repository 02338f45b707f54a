"""Language matching: the caller's BCP 47 code against the languages that words exist in (RFC 4647, section 3.4)."""

import re
from collections.abc import Iterable, Sequence
from typing import Self

from services.chassis.errors import DomainError, FieldViolation, Status

OFFERED = ("en", "fr")
"""The languages of every word that a person reads; the first one answers a caller who names none."""

_LONGEST_CODE = 100
_CODE = re.compile(r"[a-z]{1,8}(?:-[a-z0-9]{1,8})*")


class LanguageUnknown(DomainError):
    """There are no words in the language asked for."""

    status = Status.INVALID_ARGUMENT
    reason = "LANGUAGE_UNKNOWN"

    @classmethod
    def of(cls, code: str, offered: Iterable[str]) -> Self:
        """Return the error for a code, with the languages that there are."""
        codes = ", ".join(offered)
        return cls(
            f"language_code: no words in {code!r}: choose one of {codes}",
            metadata={"language_code": code, "language_codes": codes},
            violations=[FieldViolation("language_code", f"choose one of {codes}, or leave it empty")],
        )


def match_language(code: str, offered: Sequence[str] = OFFERED) -> str | None:
    """Return the offered language that a code asks for: "fr-CA" and "FR_ca" are both "fr".

    Args:
        code: BCP 47 code in any case; an underscore, as POSIX writes it, counts as a hyphen.
        offered: Codes in the order of preference; the first one is the answer to an empty code.

    Returns:
        A member of `offered`; None when the code is malformed or asks for another language.
    """
    if not code:
        return offered[0]
    known = {each.lower(): each for each in offered}
    return _lookup(_canonical(code), known) if is_language_code(code) else None


def is_language_code(code: str) -> bool:
    """Tell whether something has the form of a BCP 47 code; an underscore counts as a hyphen."""
    return len(code) <= _LONGEST_CODE and _CODE.fullmatch(_canonical(code)) is not None


def _canonical(code: str) -> str:
    return code.lower().replace("_", "-")


def _lookup(wanted: str, known: dict[str, str]) -> str | None:
    subtags = wanted.split("-")
    while subtags:
        if (found := known.get("-".join(subtags))) is not None:
            return found
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:  # what introduced the subtag that has just gone, such as `x` or `u`
            subtags.pop()
    return None
