"""Boxes of HEIC and AVIF (ISO/IEC 14496-12): numbers out of them, and where the items lie that they describe."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.picture_files.walking import Malformed, Parts

IN_FILE: Final = 0
IN_META: Final = 1


@dataclass(frozen=True)
class Location:
    """Where an item lies (8.11.3).

    Attributes:
        number: Of the item.
        method: How it is found: `IN_FILE`, `IN_META`, or another.
        pieces: Offset and length of each, from the beginning of the file or of `idat`.
    """

    number: int
    method: int
    pieces: tuple[tuple[int, int], ...]


class BoxReader:
    """Reads numbers one after the other out of a part of the description, which is never copied.

    Raises:
        Malformed: from every method, where the bytes end too early.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data = data
        self._position = start
        self._end = end

    def again(self) -> "BoxReader":
        """Return a reader of what is left, which moves by itself."""
        return BoxReader(self._data, self._position, self._end)

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return self._end - self._position

    def number(self, size: int) -> int:
        """Return a big-endian number of `size` bytes; 0 for none."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        start = self._position
        self.skip(size)
        return self._data[start : self._position]

    def skip(self, size: int) -> None:
        """Pass over bytes."""
        if size > self.left:
            raise Malformed("its description is cut short")
        self._position += size

    def boxes(self, parts: Parts) -> Iterator[tuple[bytes, "BoxReader"]]:
        """Yield type and content of the boxes that follow."""
        while self.left:
            parts.next()
            size, kind = self.number(4), self.take(4)
            if size == 0:
                # The last one: it goes to the end.
                size = self.left + 8
            if size < 8:
                raise Malformed("a box of its description has an impossible length")
            start = self._position
            self.skip(size - 8)
            yield kind, BoxReader(self._data, start, self._position)


def locations(reader: BoxReader, parts: Parts) -> Iterator[Location]:
    """Yield where every item lies, as the content of an `iloc` box says."""
    version = reader.number(4) >> 24
    offset_size, length_size = divmod(reader.number(1), 16)
    base_size, index_size = divmod(reader.number(1), 16)
    index_size = index_size if version > 0 else 0
    for _ in range(reader.number(2 if version < 2 else 4)):
        parts.next()
        number = reader.number(2 if version < 2 else 4)
        method = reader.number(2) & 15 if version > 0 else IN_FILE
        reader.take(2)
        base, count = reader.number(base_size), reader.number(2)
        if count > max(1, reader.left):
            raise Malformed("its description is cut short")
        pieces = []
        for _ in range(count):
            parts.next()
            reader.skip(index_size)
            pieces.append((base + reader.number(offset_size), reader.number(length_size)))
        yield Location(number, method, tuple(pieces))
