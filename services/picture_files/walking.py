"""Walks through a file while its bytes come in: each format is written as if it could wait for what it needs.

A walk is a generator that yields what it wants next and receives it: `Take` some bytes, `Skip` some, `Sum` the CRC of
some, `Find` a pattern, or `Tell` where it is. The walker feeds it from chunks of any size, and keeps no more than one
`Take`.
"""

import re
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

MAX_TAKE = 4 * 1024 * 1024
"""Bytes that a walk may hold at a time."""
MAX_PARTS = 50_000
"""Chunks, segments or boxes of a file; a file of millions of tiny ones is made to cost time."""


class Malformed(Exception):
    """The file's structure is broken; the message says where, of "it"."""


class Ended(Exception):
    """The file ends while a walk waits for more; a walk that knows enough by then catches it and returns.

    Attributes:
        file_bytes: How long the file is.
    """

    def __init__(self, file_bytes: int) -> None:
        super().__init__(f"the file ends after {file_bytes} bytes")
        self.file_bytes = file_bytes


@dataclass(frozen=True)
class Take:
    """Wants the next `size` bytes; answered with them."""

    size: int


@dataclass(frozen=True)
class Skip:
    """Passes over the next `size` bytes; answered with nothing."""

    size: int


@dataclass(frozen=True)
class Sum:
    """Wants the CRC-32 of the next `size` bytes, going on from `start`; answered with 4 bytes, big-endian."""

    size: int
    start: int


@dataclass(frozen=True)
class Find:
    """Passes over everything before a match of two bytes, the first of them `first`; answered with the match."""

    pattern: re.Pattern[bytes]
    first: int


@dataclass(frozen=True)
class Tell:
    """Wants to know how many bytes of the file have passed; answered with 8 bytes, big-endian."""


Want: TypeAlias = Take | Skip | Sum | Find | Tell
ResultT = TypeVar("ResultT")
Walk: TypeAlias = Generator[Want, bytes, ResultT]
"""A format's walk; it returns what it found, after which the rest of the file is of no interest."""


@dataclass
class Parts:
    """Counts the parts of a file, and where it reads."""

    count: int = 0

    def next(self) -> None:
        """Count one more.

        Raises:
            Malformed: there are too many for a picture.
        """
        self.count += 1
        if self.count > MAX_PARTS:
            raise Malformed(f"it consists of more than {MAX_PARTS} parts, which no picture does")


class Walker(Generic[ResultT]):
    """Feeds a walk from chunks."""

    def __init__(self, walk: Walk[ResultT]) -> None:
        self._walk = walk
        self._result: ResultT | None = None
        self._ended = False
        self._want: Want = Skip(0)
        self._held = bytearray()
        self._passed = 0
        self._resume(None)

    @property
    def result(self) -> ResultT | None:
        """What the walk returned; None while it goes on."""
        return self._result

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the file.

        Raises:
            Malformed: the walk found something wrong.
        """
        position = 0
        while not self._ended:
            position, answer = self._serve(data, position)
            if answer is None:
                break
            self._resume(answer)
        self._passed += len(data)

    def finish(self) -> None:
        """Say that no bytes follow; a walk that can do with what it has returns then.

        Raises:
            Malformed: the walk found something wrong.
        """
        if self._ended:
            return
        self._ended = True
        try:
            self._walk.throw(Ended(self._passed))
        except StopIteration as end:
            self._result = end.value
        except Ended:
            pass

    def _resume(self, answer: bytes | None) -> None:
        try:
            self._want = next(self._walk) if answer is None else self._walk.send(answer)
        except StopIteration as end:
            self._result, self._ended = end.value, True

    def _serve(self, data: bytes, position: int) -> tuple[int, bytes | None]:
        """Return the new position, and the answer if the bytes at hand suffice for it."""
        match self._want:
            case Take(size):
                return self._take(size, data, position)
            case Skip(size):
                step = min(size, len(data) - position)
                self._want = Skip(size - step)
                return position + step, b"" if step == size else None
            case Sum(size, start):
                step = min(size, len(data) - position)
                crc = zlib.crc32(memoryview(data)[position : position + step], start)
                self._want = Sum(size - step, crc)
                return position + step, crc.to_bytes(4, "big") if step == size else None
            case Find(pattern, first):
                return self._find(pattern, first, data, position)
            case Tell():
                return position, (self._passed + position).to_bytes(8, "big")

    def _take(self, size: int, data: bytes, position: int) -> tuple[int, bytes | None]:
        if size > MAX_TAKE:
            raise Malformed(f"a part of {size} bytes of description, which no picture needs")
        piece = data[position : position + size - len(self._held)]
        if len(piece) == size:
            return position + size, piece
        self._held.extend(piece)
        if len(self._held) < size:
            return position + len(piece), None
        taken = bytes(self._held)
        self._held.clear()
        return position + len(piece), taken

    def _find(self, pattern: re.Pattern[bytes], first: int, data: bytes, position: int) -> tuple[int, bytes | None]:
        if self._held and position < len(data):
            pair = bytes(self._held) + data[position : position + 1]
            self._held.clear()
            if pattern.match(pair):
                return position + 1, pair
        found = pattern.search(data, position)
        if found is not None:
            return found.end(), found[0]
        if len(data) > position and data[-1] == first:
            self._held.extend(data[-1:])
        return len(data), None
