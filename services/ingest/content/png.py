"""PNG (W3C, third edition): a signature, then chunks of length, type, data and CRC-32 up to IEND.

Chunks that the picture cannot do without must have the right CRC. That of any other may be wrong, and the end chunk may
be missing behind picture data, as viewers have it.
"""

import zlib

from services.ingest.content.picture import Picture
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
    return Picture(MediaType.PNG, *found.size)


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
    body = (yield Take(length)) if kind == b"IHDR" else b""
    yield from _check_sum(kind, body, length - len(body))
    if kind == b"IHDR":
        found.size = _size(body, limits)
    return kind


def _check_sum(kind: bytes, body: bytes, left: int) -> Walk[None]:
    expected = yield Sum(left, zlib.crc32(kind + body))
    if (yield Take(4)) != expected and not is_ancillary(kind):
        raise Malformed(f"the checksum of its {kind.decode()} chunk is wrong: bytes were altered")


def _size(header: bytes, limits: Limits) -> tuple[int, int]:
    if len(header) != _HEADER_BYTES:
        raise Malformed("its header has the wrong length")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    limits.check(width, height)
    return width, height
