"""Blocks of JPEG, PNG and WebP: segments and chunks that say their own length.

Walks are lenient: bytes that are not expected are passed over as far as the format allows.
"""

import re
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from services.picture_files import iptc, xmp
from services.picture_files.blocks import MAX_BLOCK_BYTES, Blocks, body_or_nothing
from services.picture_files.walking import Find, Malformed, Parts, Skip, Take, Walk

_EXIF_NAME: Final = b"exif\0"
_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END, _APP1, _APP13 = 0xDA, 0xD9, 0xE1, 0xED
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# ImageMagick's way to keep the blocks of other formats in PNG: a name, a count, and the bytes in hexadecimal digits.
_RAW_PROFILE: Final = re.compile(rb"Raw profile type (exif|APP1|app1|xmp|iptc|8bim)")
_CREATION: Final = frozenset({b"creation time", b"exif:datetimeoriginal"})
_RAW_HEAD: Final = re.compile(rb"\s*\w+\s+\d+\s")


def walk_jpeg(blocks: Blocks) -> Walk[None]:
    """Walk over the segments before the first scan; bytes between them are passed over."""
    parts = Parts()
    yield Skip(2)
    while True:
        parts.next()
        code = (yield Find(_MARKER, 0xFF))[1]
        if code in (_SCAN, _END):
            return
        if code not in _STANDALONE:
            _note_segment(code, (yield from _segment_body(code)), blocks)


def _segment_body(code: int) -> Walk[bytes]:
    size = max(0, int.from_bytes((yield Take(2)), "big") - 2)
    if code in (_APP1, _APP13):
        return (yield Take(size))
    yield Skip(size)
    return b""


def _note_segment(code: int, body: bytes, blocks: Blocks) -> None:
    if code == _APP1 and body[:5].lower() == _EXIF_NAME:
        blocks.exif = blocks.exif or body
    elif code == _APP1 and body.startswith(xmp.JPEG_PREFIX):
        blocks.xmp = blocks.xmp or body
    elif code == _APP13 and body.startswith(iptc.JPEG_PREFIX):
        # Resources that do not fit one segment go on in the next.
        blocks.iptc = ((blocks.iptc or b"") + body.removeprefix(iptc.JPEG_PREFIX))[:MAX_BLOCK_BYTES]


def walk_png(blocks: Blocks) -> Walk[None]:
    """Walk over all chunks, whatever their checksums."""
    parts = Parts()
    yield Skip(8)
    while True:
        parts.next()
        header = yield Take(8)
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"IEND":
            return
        wanted = kind in _TEXTS or kind in (b"eXIf", b"tIME")
        body = b""
        if wanted:
            body = yield from body_or_nothing(size)
        else:
            yield Skip(size)
        yield Skip(4)
        _note_chunk(kind, body, blocks)


def _note_chunk(kind: bytes, body: bytes, blocks: Blocks) -> None:
    if kind == b"eXIf":
        blocks.exif = body or blocks.exif
    elif kind == b"tIME" and len(body) == 7:
        with suppress(ValueError):
            year, (month, day, hour, minute, second) = int.from_bytes(body[:2], "big"), body[2:]
            blocks.container_change = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).isoformat()
    elif kind in _TEXTS and b"\0" in body:
        keyword, text = _text(kind, body)
        raw = _RAW_PROFILE.fullmatch(keyword)
        if raw is not None:
            _note_raw(raw[1].lower(), text, blocks)
        elif keyword == b"XML:com.adobe.xmp":
            blocks.xmp = blocks.xmp or text
        elif keyword.lower() in _CREATION:
            blocks.container = blocks.container or text.decode("latin-1")


def _text(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    keyword, rest = body.split(b"\0", 1)
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, _unpacked(rest[1:])
    is_packed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    text = fields[2] if len(fields) == 3 else b""
    return keyword, _unpacked(text) if is_packed else text


def _unpacked(data: bytes) -> bytes:
    """Return what was packed; nothing if that is broken or larger than any block."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, MAX_BLOCK_BYTES * 2 + 1)
    except zlib.error:
        return b""
    return text if len(text) <= MAX_BLOCK_BYTES * 2 else b""


def _note_raw(kind: bytes, text: bytes, blocks: Blocks) -> None:
    head = _RAW_HEAD.match(text)
    digits = b"" if head is None else b"".join(text[head.end() :].split())
    try:
        body = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return
    if not body:
        return
    if kind in (b"exif", b"app1") and not body.startswith(xmp.JPEG_PREFIX):
        blocks.exif = blocks.exif or body
    elif kind in (b"xmp", b"app1"):
        blocks.xmp = blocks.xmp or body
    else:
        blocks.iptc = blocks.iptc or body


def walk_webp(blocks: Blocks) -> Walk[None]:
    """Walk over all chunks, to the end of the file whatever the container says of its length."""
    parts = Parts()
    yield Skip(12)
    while True:
        parts.next()
        header = yield Take(8)
        kind, size = header[:4], int.from_bytes(header[4:], "little")
        if not all(32 <= byte < 127 for byte in kind):
            raise Malformed("a chunk has an impossible header")
        if kind == b"EXIF":
            blocks.exif = (yield from body_or_nothing(size)) or blocks.exif
        elif kind == b"XMP ":
            blocks.xmp = (yield from body_or_nothing(size)) or blocks.xmp
        else:
            yield Skip(size)
        yield Skip(size % 2)
