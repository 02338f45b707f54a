"""PNG (W3C, third edition) as decoders want it: without the side information that some of them stumble over.

A chunk whose name begins with a small letter is ancillary: a picture can do without it. Decoders refuse the whole
picture for one that is too short, too long when unpacked, or of a wrong checksum; viewers leave it out.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_UNPACKED: Final = 1024 * 1024
"""Bytes of one text or profile, unpacked, that is kept; Pillow refuses pictures with longer ones."""
_MAX_TEXT: Final = 8 * MAX_UNPACKED
"""Of all texts of a file together."""
_MAX_CHUNKS: Final = 50_000
_END_CHUNK: Final = b"\0\0\0\0IEND\xaeB`\x82"
_LENGTHS: Final = {b"pHYs": 9, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"tIME": 7}
# Bytes of `tRNS` by the type of colours (IHDR); a palette's may be shorter than the palette.
_TRANSPARENCY: Final = {0: 2, 2: 6}
_PALETTE: Final = 3
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
# What moves is looked at as the picture that it begins with.
_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    body: bytes
    whole: bytes
    intact: bool


def is_ancillary(kind: bytes) -> bool:
    """Tell whether a picture can do without chunks of a type."""
    return bool(kind[0] & 0x20)


def sound_png(data: bytes) -> bytes:
    """Return a PNG without ancillary chunks that are broken or too large, and without animation.

    Picture data that other chunks stand between is put together, and an end chunk that is missing behind it is added.
    What is sound already, and what is no PNG, is returned as it is.
    """
    if not data.startswith(SIGNATURE):
        return data
    before: list[bytes] = []
    pictures: list[bytes] = []
    after: list[bytes] = []
    text_left, colours, kept = _MAX_TEXT, -1, 0
    for chunk in _chunks(data):
        if chunk.kind == b"IHDR" and len(chunk.body) > 9:
            colours = chunk.body[9]
        unpacked = _unpacked_bytes(chunk) if chunk.intact and is_ancillary(chunk.kind) else 0
        if is_ancillary(chunk.kind) and not _is_sound(chunk, colours, unpacked, text_left):
            continue
        text_left -= (unpacked or 0) if chunk.kind in _TEXTS else 0
        place = pictures if chunk.kind == b"IDAT" else after if pictures else before
        place.append(chunk.whole)
        kept += len(chunk.whole)
    if not pictures or (kept == len(data) - len(SIGNATURE) and not _is_apart(data, before, pictures)):
        return data
    ends = bool(after) and after[-1] == _END_CHUNK
    return b"".join([SIGNATURE, *before, *pictures, *after, b"" if ends else _END_CHUNK])


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield chunks up to the end chunk; the last one may be cut short."""
    place = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        kind = data[place + 4 : place + 8]
        if len(kind) < 4:
            return
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 12 + length
        body = data[place + 8 : place + 8 + length]
        # Of picture data the decoder is the judge, and the door.
        intact = not is_ancillary(kind) or (end <= len(data) and _crc(kind, body) == data[end - 4 : end])
        cut = kind == b"IDAT" and end > len(data)
        yield _Chunk(kind, body, _written(kind, body) if cut else data[place:end], intact)
        if kind == b"IEND":
            return
        place = end


def _written(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + _crc(kind, body)


def _crc(kind: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(kind)).to_bytes(4, "big")


def _is_apart(data: bytes, before: list[bytes], pictures: list[bytes]) -> bool:
    """Tell whether other chunks stand between those of picture data."""
    start = len(SIGNATURE) + sum(map(len, before))
    return not data.startswith(pictures[-1], start + sum(map(len, pictures[:-1])))


def _is_sound(chunk: _Chunk, colours: int, unpacked: int | None, text_left: int) -> bool:
    if not chunk.intact or chunk.kind in _ANIMATION or unpacked is None:
        return False
    if chunk.kind == b"tRNS":
        return 1 <= len(chunk.body) <= 256 if colours == _PALETTE else len(chunk.body) == _TRANSPARENCY.get(colours)
    if chunk.kind in _TEXTS:
        return unpacked <= text_left
    return len(chunk.body) == _LENGTHS.get(chunk.kind, len(chunk.body))


def _unpacked_bytes(chunk: _Chunk) -> int | None:
    """Return how long a text or profile is unpacked, 0 of what is neither; None if it is too long or broken."""
    _, separator, rest = chunk.body.partition(b"\0")
    match chunk.kind:
        case b"iCCP" | b"zTXt":
            return _inflated(rest[1:]) if separator and rest[:1] == b"\0" else None
        case b"iTXt":
            return _international(rest) if separator else None
        case b"tEXt":
            return len(rest) if separator and len(rest) <= MAX_UNPACKED else None
        case _:
            return 0


def _international(rest: bytes) -> int | None:
    """Return the length of an `iTXt` chunk's text, unpacked, behind its keyword."""
    language_and_text = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(language_and_text) < 3:
        return None
    text = language_and_text[2]
    if rest[0]:
        return _inflated(text) if rest[1] == 0 else None
    return len(text) if len(text) <= MAX_UNPACKED else None


def _inflated(packed: bytes) -> int | None:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, MAX_UNPACKED)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else len(unpacked)
