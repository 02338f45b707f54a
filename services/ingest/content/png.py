"""PNG (W3C, third edition): a signature, then chunks of length, type, data and CRC-32 up to IEND."""

import zlib

from services.ingest.content.picture import MAX_EXIF_BYTES, Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.picture_files.walking import Malformed, Parts, Skip, Sum, Take, Walk

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
    """Walk from the first byte to the end chunk, checking every CRC."""
    found, parts = _Found(), Parts()
    yield Skip(_SIGNATURE_BYTES)
    kind = b""
    while kind != b"IEND":
        parts.next()
        kind = yield from _chunk(found, limits)
    if found.size is None or not found.has_data:
        raise Malformed("it ends before any picture data")
    return Picture(MediaType.PNG, *found.size, found.exif)


def _chunk(found: _Found, limits: Limits) -> Walk[bytes]:
    head = yield Take(8)
    length, kind = int.from_bytes(head[:4], "big"), head[4:]
    if length > _MAX_LENGTH or not kind.isalpha():
        raise Malformed("a chunk has an impossible header: bytes were altered or lost")
    if (found.size is None) != (kind == b"IHDR"):
        raise Malformed("it does not begin with one header")
    body = b""
    if kind == b"IHDR" or (kind == b"eXIf" and length <= MAX_EXIF_BYTES):
        body = yield Take(length)
    yield from _check(kind, body, length - len(body))
    _note(kind, body, found, limits)
    return kind


def _check(kind: bytes, body: bytes, left: int) -> Walk[None]:
    expected = yield Sum(left, zlib.crc32(kind + body))
    if (yield Take(4)) != expected:
        raise Malformed(f"the checksum of its {kind.decode()} chunk is wrong: bytes were altered")


def _note(kind: bytes, body: bytes, found: _Found, limits: Limits) -> None:
    if kind == b"IHDR":
        if len(body) != _HEADER_BYTES:
            raise Malformed("its header has the wrong length")
        found.size = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        limits.check(*found.size)
    elif kind == b"eXIf" and body:
        found.exif = body
    elif kind == b"IDAT":
        found.has_data = True
