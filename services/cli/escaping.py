"""Text of others made fit for a terminal and for JSON Lines: a name must not move the cursor or begin a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_BREAKS = "\u2028\u2029"
# Embeddings, overrides and isolates show the rest of a line in another order; marks of direction do no harm.
_REORDERING = "\u202a-\u202e\u2066-\u2069"
_CONTROL = rf"\x00-\x1f\x7f-\x9f{_BREAKS}{_REORDERING}"
_IN_A_LINE = re.compile(rf"[{_CONTROL}]")
_IN_A_TEXT = re.compile(rf"[^\n\x20-\x7e\xa0-\U0010ffff]|[{_BREAKS}{_REORDERING}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return text that every encoding can carry: bytes of a file name that are not UTF-8 become `\\xNN`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    r"""Return text for one line of a terminal: control characters, line ends among them, become `\\xNN`."""
    return _IN_A_LINE.sub(_spelt_out, printable(text))


def several_lines(text: str) -> str:
    """Return text for a terminal that may have line ends, and no other control character."""
    return _IN_A_TEXT.sub(_spelt_out, printable(text))


def json_line(row: Mapping[str, object]) -> str:
    """Return a row as JSON that is one line to every reader: NEL and U+2028 end a line for some."""
    text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    return _SURROGATE.sub(_byte, _IN_A_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _spelt_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _byte(found: re.Match[str]) -> str:
    return "\\" + printable(found[0])
