"""Embedded metadata: the blocks in which a picture file says how it came to be, found while its bytes pass.

The service that takes pictures in, the one that decodes them and the command that sends them find the same blocks in
the same bytes. Nothing here judges whether a file is whole: what is broken, too large or missing is not there.
"""

from typing import Final

from services.picture_files.blocks import Blocks
from services.picture_files.embedded_boxes import walk_boxes
from services.picture_files.embedded_chunks import walk_jpeg, walk_png, walk_webp
from services.picture_files.walking import Malformed, Walk, Walker

_HEAD_BYTES: Final = 12


class EmbeddedReader:
    """Collects the blocks of one file; holds at most a few MiB, whatever the file."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self._head = b""
        self._walker: Walker[None] | None = None
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes; never raises."""
        if self._walker is None and not self._ended:
            data = self._head = self._head + data
            if len(data) < _HEAD_BYTES:
                return
            self._begin()
        if self._walker is not None:
            try:
                self._walker.feed(data)
            except Malformed:
                # What was found until here stays.
                self._walker = None

    def _begin(self) -> None:
        walk = _walk(self._head, self.blocks)
        self._walker = None if walk is None else Walker(walk)
        self._head, self._ended = b"", True


def read_embedded(data: bytes) -> Blocks:
    """Return the blocks of a whole file; never raises."""
    reader = EmbeddedReader()
    reader.feed(data)
    return reader.blocks


def _walk(head: bytes, blocks: Blocks) -> Walk[None] | None:
    if head.startswith(b"\xff\xd8"):
        return walk_jpeg(blocks)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return walk_png(blocks)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return walk_webp(blocks)
    return walk_boxes(blocks) if head[4:8] == b"ftyp" else None
