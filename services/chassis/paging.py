"""Paging: page sizes that are coerced, and page tokens that belong to one list (https://google.aip.dev/158)."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.errors import FieldInvalid

_VERSION = b"\x01"
_DIGEST_BYTES = 12
_LONGEST_TOKEN = 2048


@dataclass(frozen=True)
class PageQuery:
    """What a list was asked for; a page token goes on with that list alone.

    Attributes:
        list_name: The RPC, such as `ListMedia`.
        subject: Pseudonym of the person whose list it is; empty for a list that belongs to no person.
        what: All else that decides which rows come in which order: parent, filter, order, view, language.
    """

    list_name: str
    subject: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """The part of a list that a request asks for.

    Attributes:
        size: How many rows at most, 1 or more.
        cursor: Where the page before ended, as its `next_token` was given it; None for the first page.
        query: The list.
    """

    size: int
    cursor: tuple[str, ...] | None
    query: PageQuery

    def next_token(self, *cursor: str) -> str:
        """Return the token of the page that begins after a row; the cursor names the row."""
        return encode_page_token(self.query, cursor)


def page_size(value: int, *, default: int, most: int) -> int:
    """Return how many rows a page has: 0 is the default, more than the most is the most.

    Raises:
        FieldInvalid: it is negative.
    """
    if value < 0:
        raise FieldInvalid.of("page_size", f"send no negative number: 1 to {most}, or 0 for {default}")
    return min(value or default, most)


def encode_page_token(query: PageQuery, cursor: Sequence[str]) -> str:
    """Return the token of the page that begins after `cursor`."""
    body = json.dumps(list(cursor), ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_VERSION + _digest(query, body) + body).decode().rstrip("=")


def decode_page_token(token: str, query: PageQuery) -> tuple[str, ...] | None:
    """Return the cursor in a token; None where there is no token, for the first page.

    Raises:
        FieldInvalid: it is no token, or one of another person, list, filter, order, view or release.
    """
    if not token:
        return None
    body = _body(token, query)
    if body is None:
        raise FieldInvalid.of(
            "page_token",
            "send the next_page_token of the page before, unaltered and with all else as it was, or nothing to begin",
        )
    return tuple(json.loads(body))


def _body(token: str, query: PageQuery) -> bytes | None:
    raw = _raw(token)
    body = raw[len(_VERSION) + _DIGEST_BYTES :]
    return body if raw == _VERSION + _digest(query, body) + body else None


def _raw(token: str) -> bytes:
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        return b""
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""


def _digest(query: PageQuery, body: bytes) -> bytes:
    """Return what ties a cursor to its list; it finds mistakes, and hides nothing from the token's owner."""
    bound = json.dumps([query.list_name, query.subject, *query.what]).encode()
    return hashlib.sha256(bound + b"\0" + body).digest()[:_DIGEST_BYTES]
