"""Resource names: `media/{uuid}` and longer ones, read in any case and written in one (https://google.aip.dev/122)."""

import re
from collections.abc import Mapping
from functools import cache
from uuid import UUID

PARTS: Mapping[str, str] = {
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "number": r"[1-9][0-9]{0,8}",
    "sha256": r"[0-9a-fA-F]{64}",
    "word": r"[A-Za-z0-9._~-]{1,100}",
}
"""Variable parts of a name, and what may stand there."""

_IN_ONE_CASE = frozenset({"uuid", "sha256"})
_UUID = re.compile(PARTS["uuid"])
_VARIABLE = re.compile(r"\{(\w+)\}")


def uuid_of(value: str) -> UUID | None:
    """Return a UUID that is written with hyphens, in any case; None for all else."""
    return UUID(value) if _UUID.fullmatch(value) else None


def parse(value: str, pattern: str) -> tuple[str, ...] | None:
    """Return the variable parts of a name in canonical form; None where it does not fit.

    Args:
        value: Such as `suggestions/8C7D0F2E-4F1C-4B8E-9D55-2F6F0A2B1C3D/renditions/2`.
        pattern: Such as `suggestions/{uuid}/renditions/{number}`; the parts are those of `PARTS`.
    """
    expression, kinds = _compiled(pattern)
    match = expression.fullmatch(value)
    if match is None:
        return None
    found = zip(kinds, match.groups(), strict=True)
    return tuple(text.lower() if kind in _IN_ONE_CASE else text for kind, text in found)


@cache
def _compiled(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    pieces = _VARIABLE.split(pattern)  # fixed text and kinds of variable parts, in turns
    texts = (f"({PARTS[each]})" if place % 2 else re.escape(each) for place, each in enumerate(pieces))
    return re.compile("".join(texts)), tuple(pieces[1::2])
