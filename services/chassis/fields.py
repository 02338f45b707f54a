"""Fields of a request: each is parsed into a value, and all that are wrong are answered in one `BadRequest`.

    with Fields() as fields:
        media = fields.resource(request.name, "name", "media")
        request_id = fields.uuid(request.request_id, "request_id")

A field that is refused gives a stand-in of its type, so that the fields after it are looked at as well. The stand-in
cannot leave the block: its end raises `FieldInvalid` with every violation.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self, TypeVar
from uuid import UUID

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import paging, resource_names
from services.chassis.errors import DomainError, FieldInvalid, FieldViolation
from services.chassis.languages import OFFERED, LanguageUnknown, match_language
from services.chassis.paging import Page, PageQuery

SHA256_BYTES = 32

EnumT = TypeVar("EnumT", bound=StrEnum)
ItemT = TypeVar("ItemT")

_NO_UUID = UUID(int=0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = datetime(1826, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""No photograph is older; and a clock that says a later time is wrong."""
# Controls but tab and line ends; embeddings, overrides and isolates show what follows in another order.
_UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNSPECIFIED = "UNSPECIFIED"


class PagedRequest(Protocol):
    """A request for a page of a list."""

    @property
    def page_size(self) -> int:
        """Return how many rows are wanted; 0 for the default."""

    @property
    def page_token(self) -> str:
        """Return the token of the page before; empty for the first page."""


class Fields:
    """Parser of a request's fields that collects what is wrong with them."""

    def __init__(self, *, prefix: str = "", violations: list[FieldViolation] | None = None) -> None:
        self._prefix = prefix
        self._violations = [] if violations is None else violations
        self._unknown_language: LanguageUnknown | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise every violation; an error that a stand-in may have caused steps back behind them."""
        if isinstance(error, FieldInvalid):
            self._violations.extend(error.violations)
        if self._violations and (error is None or isinstance(error, Exception)):
            raise self._refusal() from error

    def refuse(self, field: str, description: str) -> None:
        """Note that a field is wrong, and what to send instead."""
        self._violations.append(FieldViolation(f"{self._prefix}{field}", description))

    def within(self, field: str) -> "Fields":
        """Return the parser of a message inside this one; its violations are this one's."""
        return Fields(prefix=f"{self._prefix}{field}.", violations=self._violations)

    def each(
        self, items: Iterable[ItemT], field: str, *, least: int = 0, most: int
    ) -> Iterator[tuple["Fields", ItemT]]:
        """Yield each message of a repeated field with its parser; too few or too many are refused unread."""
        for place, item in enumerate(self.many(tuple(items), field, least=least, most=most)):
            yield self.within(f"{field}[{place}]"), item

    def many(self, items: Sequence[ItemT], field: str, *, least: int = 0, most: int) -> Sequence[ItemT]:
        """Return a repeated field whose length is within bounds."""
        if least <= len(items) <= most:
            return items
        self.refuse(field, f"send {least} to {most} of them" if least else f"send at most {most} of them")
        return ()

    def uuid(self, value: str, field: str) -> UUID:
        """Return a UUID, written with hyphens and in any case."""
        found = resource_names.uuid_of(value)
        if found is None:
            self.refuse(field, "send a UUID such as 8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d")
        return found or _NO_UUID

    def resource(self, value: str, field: str, collection: str) -> UUID:
        """Return the UUID in `{collection}/{uuid}`."""
        (id_,) = self.name(value, field, f"{collection}/{{uuid}}")
        return resource_names.uuid_of(id_) or _NO_UUID

    def name(self, value: str, field: str, pattern: str) -> tuple[str, ...]:
        """Return the variable parts of a resource name, in canonical form.

        Args:
            value: What the caller wrote.
            field: Where.
            pattern: Such as `suggestions/{uuid}/renditions/{number}`; parts: `resource_names.PARTS`.
        """
        found = resource_names.parse(value, pattern)
        if found is None:
            self.refuse(field, f"send a name of the form {pattern}")
        return found or ("",) * pattern.count("{")

    def text(self, value: str, field: str, *, most: int, least: int = 0) -> str:
        """Return a text whose length in characters is within bounds, and that shows all that it holds, in order."""
        if (unseen := _UNSEEN.search(value)) is not None:
            self.refuse(field, f"send a text without control characters such as U+{ord(unseen[0]):04X}")
        elif not least <= len(value) <= most:
            self.refuse(field, f"send {least} to {most} characters" if least else f"send at most {most} characters")
        else:
            return value
        return ""

    def number(self, value: int, field: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        """Return a whole number within bounds."""
        if least <= value <= most:
            return value
        bounds = f"{least} or more" if most == 2**63 - 1 else f"from {least} to {most}"
        self.refuse(field, f"send a number {bounds}")
        return least

    def time(self, message: Timestamp, field: str, *, after: datetime | None = None) -> datetime:
        """Return a time that can be meant.

        Args:
            message: What the caller sent.
            field: Where.
            after: The time must be later than this; None for no such bound.
        """
        try:
            found = message.ToDatetime(UTC)
        except (ValueError, OverflowError):
            found = None
        if found is None or not EARLIEST <= found < LATEST:
            self.refuse(field, f"send a time from year {EARLIEST.year} to year {LATEST.year - 1}")
            return _EPOCH
        if after is not None and found <= after:
            self.refuse(field, f"send a time after {after.isoformat()}")
        return found

    def optional_time(self, message: Message, field: str, *, after: datetime | None = None) -> datetime | None:
        """Return the time in a field of a message; None where the field is not set."""
        return self.time(getattr(message, field), field, after=after) if message.HasField(field) else None

    def enum(self, value: int, field: str, descriptor: EnumDescriptor, members: type[EnumT]) -> EnumT:
        """Return the member that a value names; what the members leave out, or a later release knows, is refused.

        Args:
            value: What the caller sent.
            field: Where.
            descriptor: Of the contract's enum, whose zero is `{PREFIX}UNSPECIFIED`.
            members: Their values are the contract's names without the prefix; `UNSPECIFIED` may be one.
        """
        prefix = descriptor.values_by_number[0].name.removesuffix(_UNSPECIFIED)
        known = descriptor.values_by_number.get(value)
        for member in members:
            if known is not None and known.name == f"{prefix}{member}":
                return member
        choices = ", ".join(f"{prefix}{member}" for member in members if member != _UNSPECIFIED)
        self.refuse(field, f"choose one of {choices}")
        return next(iter(members))

    def fixed_bytes(self, value: bytes, field: str, size: int) -> bytes:
        """Return bytes of an exact length."""
        if len(value) == size:
            return value
        self.refuse(field, f"send exactly {size} bytes")
        return bytes(size)

    def sha256(self, value: bytes, field: str) -> bytes:
        """Return a SHA-256."""
        if len(value) != SHA256_BYTES:
            self.refuse(field, f"send the {SHA256_BYTES} bytes of a SHA-256, not their hex digits")
            return bytes(SHA256_BYTES)
        return value

    def language(self, code: str, offered: Sequence[str] = OFFERED) -> str:
        """Return the offered language that `language_code` asks for; alone, it is refused as `LanguageUnknown`."""
        found = match_language(code, offered)
        if found is None:
            self._unknown_language = LanguageUnknown.of(code, offered)
            self._violations.extend(self._unknown_language.violations)
        return found or offered[0]

    def page(self, request: PagedRequest, query: PageQuery, *, default: int, most: int) -> Page:
        """Return which page of a list is wanted."""
        size, cursor = default, None
        try:
            size = paging.page_size(request.page_size, default=default, most=most)
        except FieldInvalid as error:
            self._violations.extend(error.violations)
        try:
            cursor = paging.decode_page_token(request.page_token, query)
        except FieldInvalid as error:
            self._violations.extend(error.violations)
        return Page(size, cursor, query)

    def cursor(self, value: str, feed: PageQuery) -> str:
        """Return a cursor of a change feed, as the feed told it; none begins it."""
        try:
            found = paging.decode_page_token(value, feed)
        except FieldInvalid:
            found = None
        if found is None and value:
            self.refuse("cursor", "send a cursor of this feed, unaltered, or nothing to begin with a snapshot")
        return value

    def _refusal(self) -> DomainError:
        if self._unknown_language is not None and len(self._violations) == 1:
            return self._unknown_language
        return FieldInvalid.all(self._violations)
