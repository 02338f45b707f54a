"""WebP (RFC 9649): a RIFF container that says how long it is, with a VP8, VP8L or VP8X chunk first.

What is cut short behind the picture, such as its EXIF block, is left out.
"""

from services.ingest.content.picture import Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.picture_files.walking import Malformed, Parts, Skip, Take, Walk

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_FIRST = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
_DATA = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_SIZE_BYTES = 10


class _Found:
    """What the chunks said so far."""

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.has_data = False


def walk_webp(limits: Limits, file_bytes: int) -> Walk[Picture]:
    """Walk from the first byte to the end that the container gives itself, or to that of the file.

    Args:
        limits: How large a picture may be.
        file_bytes: Announced length of the file.
    """
    head = yield Take(_RIFF_HEADER_BYTES)
    announced = int.from_bytes(head[4:8], "little") + 8
    end = min(announced, file_bytes)
    found, parts, position = _Found(), Parts(), _RIFF_HEADER_BYTES
    while position + _CHUNK_HEADER_BYTES <= end:
        parts.next()
        position = yield from _chunk(position, end, found, limits)
    if found.size is None or not found.has_data:
        raise Malformed(f"it ends before its picture does, after {file_bytes} of the {announced} bytes that it has")
    return Picture(MediaType.WEBP, *found.size)


def _chunk(position: int, end: int, found: _Found, limits: Limits) -> Walk[int]:
    head = yield Take(_CHUNK_HEADER_BYTES)
    kind, length = head[:4], int.from_bytes(head[4:], "little")
    padded = length + length % 2
    if position + _CHUNK_HEADER_BYTES + length > end:
        return (yield from _cut_short(kind, end, found, limits))
    read = yield from _body(kind, length, found, limits)
    following = min(position + _CHUNK_HEADER_BYTES + padded, end)
    yield Skip(following - position - _CHUNK_HEADER_BYTES - read)
    found.has_data |= kind in _DATA
    return following


def _cut_short(kind: bytes, end: int, found: _Found, limits: Limits) -> Walk[int]:
    """End the walk at a chunk that reaches beyond the end; what there was of a header is still held to the limits."""
    if found.size is None and kind in _FIRST:
        yield from _body(kind, _SIZE_BYTES, found, limits)
    return end


def _body(kind: bytes, length: int, found: _Found, limits: Limits) -> Walk[int]:
    """Read what is of interest of a chunk, and return how many bytes that was."""
    if found.size is None:
        if kind not in _FIRST or length < _SIZE_BYTES:
            raise Malformed("it does not begin with a picture's header")
        found.size = _size(kind, (yield Take(_SIZE_BYTES)))
        limits.check(*found.size)
        return _SIZE_BYTES
    return 0


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        if body[0] != 0x2F:
            raise Malformed("its lossless header is broken")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if body[3:6] != b"\x9d\x01\x2a":
        raise Malformed("its lossy header is broken")
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
