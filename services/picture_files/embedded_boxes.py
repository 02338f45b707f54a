"""Blocks of HEIC and AVIF: items whose place the `meta` box names, wherever it stands.

Some cameras write it behind the picture data, in which the blocks lie. Until it has come, what looks like the beginning
of a block is held, a few of them, so that a file that passes once is read all the same.
"""

import re
from typing import Final

from services.picture_files.blocks import MAX_BLOCK_BYTES, Blocks
from services.picture_files.isobmff_items import Item, metadata_items
from services.picture_files.walking import MAX_TAKE, Malformed, Parts, Skip, Take, Walk

_PIECE: Final = 64 * 1024
_BEGINNING: Final = re.compile(rb"II\*\0|MM\0\*|<\?xpacket begin|<x:xmpmeta")
_HEADERS: Final = (b"II*\0", b"MM\0*")
_LEAD: Final = 32
"""Bytes before a beginning that may belong to its item: the offset of EXIF's header, and its prefix."""
_MAX_HELD: Final = 8
_HELD_BYTES: Final = 256 * 1024
_TO_THE_END: Final = 1 << 62


class Held:
    """Parts of the file that passed before it was known what they are."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytearray]] = []
        self._tail = b""

    def pass_by(self, piece: bytes, start: int) -> None:
        """Take note of the piece that begins at `start`."""
        for offset, part in self._parts:
            missing = offset + len(part) - start
            if 0 <= missing < len(piece):
                part += piece[missing : missing + _HELD_BYTES - len(part)]
        window, window_start = self._tail + piece, start - len(self._tail)
        for found in _BEGINNING.finditer(window):
            offset = window_start + max(0, found.start() - _LEAD)
            if len(self._parts) < _MAX_HELD and self.cut(window_start + found.start(), 1) is None:
                self._parts.append((offset, bytearray(window[offset - window_start :][:_HELD_BYTES])))
        self._tail = window[-(_LEAD + 16) :]

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return sum(len(part) for _, part in self._parts)

    def cut(self, offset: int, length: int) -> bytes | None:
        """Return a range of the file; None if it was not held."""
        for start, part in self._parts:
            if start <= offset and offset + length <= start + len(part):
                return bytes(part[offset - start : offset - start + length])
        return None


class _Walked:
    """Where the walk is, and what it still looks for."""

    def __init__(self, blocks: Blocks) -> None:
        self.now = 0
        self.held = Held()
        self.has_meta = False
        self.wanted: list[Item] = []
        self._blocks = blocks

    def read_meta(self, meta: bytes) -> None:
        """Take note of what the box names; take what it holds itself, and what has passed."""
        self.has_meta = True
        for item in metadata_items(meta):
            if item.content is not None:
                self.note(item, item.content)
            elif len(item.pieces) == 1:
                (offset, length), content = item.pieces[0], None
                if offset < self.now:
                    content = self.held.cut(offset, length)
                elif length <= MAX_BLOCK_BYTES:
                    self.wanted.append(item)
                if content is not None:
                    self.note(item, content)
        self.wanted.sort(key=lambda item: item.pieces)

    def note(self, item: Item, content: bytes) -> None:
        """Keep an item's bytes; of each kind the first that there are."""
        if not item.is_exif:
            self._blocks.xmp = self._blocks.xmp or content
        elif len(content) > 4:
            # An offset precedes the header (ISO/IEC 23008-12, A.2.1); some writers give nonsense there.
            there = content[4 + int.from_bytes(content[:4], "big") :]
            self._blocks.exif = self._blocks.exif or (there if there[:4] in _HEADERS else content[4:])


def walk_boxes(blocks: Blocks) -> Walk[None]:
    """Walk over the boxes of the file."""
    at, parts = _Walked(blocks), Parts()
    while True:
        parts.next()
        start, header = at.now, (yield Take(8))
        at.now += 8
        size, kind = int.from_bytes(header[:4], "big"), header[4:]
        if size == 1:
            size = int.from_bytes((yield Take(8)), "big")
            at.now += 8
        end = start + size if size else None
        if end is not None and end < at.now:
            raise Malformed("a box has an impossible length")
        if kind == b"meta" and not at.has_meta and end is not None and end - at.now <= MAX_TAKE:
            body = yield Take(end - at.now)
            at.now = end
            at.read_meta(body)
        else:
            yield from _pass_to(end, at)


def _pass_to(end: int | None, at: _Walked) -> Walk[None]:
    """Go on to `end`, or to the end of the file, and take what is wanted on the way."""
    while at.wanted and (end is None or at.wanted[0].pieces[0][0] < end):
        item = at.wanted.pop(0)
        offset, length = item.pieces[0]
        if offset >= at.now:
            yield Skip(offset - at.now)
            content = yield Take(length)
            at.now = offset + length
            at.note(item, content)
    if at.has_meta:
        to_end = _TO_THE_END if end is None else max(0, end - at.now)
        yield Skip(to_end)
        at.now += to_end
    while not at.has_meta and (end is None or at.now < end):
        size = _PIECE if end is None else min(_PIECE, end - at.now)
        at.held.pass_by((yield Take(size)), at.now)
        at.now += size
