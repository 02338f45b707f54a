"""PNG (W3C, third edition): a signature, then chunks of length, type, data and CRC-32 up to IEND.

Chunks that the picture cannot do without must have the right CRC. A wrong one of any other chunk means that it is not
read, and the end chunk may be missing behind picture data, as viewers do.
"""

import zlib

from services.ingest.content.picture import MAX_EXIF_BYTES, Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.picture_files.png import is_ancillary
from services.picture_files.walking import Ended, Malformed, Parts, Skip, Sum, Take, Walk

_MAX_LENGTH = 2**31 - 1
_SIGNATURE_BYTES = 8
_HEADER_BYTES = 13


class _Found:
    """What the chunks said so far."""

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.exif: bytes | None = None
        self.has_data = False


def walk_png(limits: Limits) -> Walk[Picture]:
    """Walk from the first byte to the end chunk, or to the end of the file behind the beginning of picture data."""
    found = _Found()
    try:
        yield from _chunks(found, limits)
    except Ended:
        if not found.has_data:
            raise
    if found.size is None or not found.has_data:
        raise Malformed("it ends before any picture data")
    return Picture(MediaType.PNG, *found.size, found.exif)


def _chunks(found: _Found, limits: Limits) -> Walk[None]:
    parts = Parts()
    yield Skip(_SIGNATURE_BYTES)
    kind = b""
    while kind != b"IEND":
        parts.next()
        kind = yield from _chunk(found, limits)


def _chunk(found: _Found, limits: Limits) -> Walk[bytes]:
    head = yield Take(8)
    length, kind = int.from_bytes(head[:4], "big"), head[4:]
    if length > _MAX_LENGTH or not kind.isalpha():
        raise Malformed("a chunk has an impossible header: bytes were altered or lost")
    if (found.size is None) != (kind == b"IHDR"):
        raise Malformed("it does not begin with one header")
    found.has_data |= kind == b"IDAT" and length > 0
    body = b""
    if kind == b"IHDR" or (kind == b"eXIf" and length <= MAX_EXIF_BYTES):
        body = yield Take(length)
    if (yield from _is_intact(kind, body, length - len(body))):
        _note(kind, body, found, limits)
    return kind


def _is_intact(kind: bytes, body: bytes, left: int) -> Walk[bool]:
    expected = yield Sum(left, zlib.crc32(kind + body))
    if (yield Take(4)) == expected:
        return True
    if is_ancillary(kind):
        return False
    raise Malformed(f"the checksum of its {kind.decode()} chunk is wrong: bytes were altered")


def _note(kind: bytes, body: bytes, found: _Found, limits: Limits) -> None:
    if kind == b"IHDR":
        if len(body) != _HEADER_BYTES:
            raise Malformed("its header has the wrong length")
        found.size = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        limits.check(*found.size)
    elif kind == b"eXIf" and body:
        found.exif = body
