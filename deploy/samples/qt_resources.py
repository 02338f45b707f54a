"""Reader of Qt resource archives (`.rcc`), in which gcompris keeps its pictures.

The format is that of Qt's `rcc` program: a header of big-endian 32-bit numbers (`qres`, version, offsets of the tree,
the data and the names), then a tree of fixed-size nodes, names in UTF-16, and data with their length before them.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from deploy.samples.errors import PackageUnreadable

_COMPRESSED: Final = 1
_FOLDER: Final = 2
_ZSTANDARD: Final = 4


def entries(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of every file that is stored plainly or with zlib.

    Raises:
        PackageUnreadable: it is no Qt resource archive.
    """
    if archive[:4] != b"qres":
        raise PackageUnreadable("this is no Qt resource archive; reinstall the package that it came with")
    version, tree, data, names = struct.unpack_from(">4I", archive, 4)
    yield from _Reader(archive, tree, data, names, 14 if version < 2 else 22).below(0, "")


class _Reader:
    def __init__(self, archive: bytes, tree: int, data: int, names: int, node_size: int) -> None:
        self._archive, self._tree, self._data, self._names = archive, tree, data, names
        self._node_size = node_size

    def below(self, node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = self._tree + node * self._node_size
        name, flags = struct.unpack_from(">IH", self._archive, at)
        path = f"{folder}/{self._name(name)}" if node else folder
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", self._archive, at + 6)
            for child in range(first, first + count):
                yield from self.below(child, path)
        elif not flags & _ZSTANDARD:
            (offset,) = struct.unpack_from(">I", self._archive, at + 10)
            yield path, self._content(offset, packed=bool(flags & _COMPRESSED))

    def _name(self, offset: int) -> str:
        (length,) = struct.unpack_from(">H", self._archive, self._names + offset)
        start = self._names + offset + 6
        return self._archive[start : start + 2 * length].decode("utf-16-be")

    def _content(self, offset: int, *, packed: bool) -> bytes:
        (size,) = struct.unpack_from(">I", self._archive, self._data + offset)
        start = self._data + offset + 4
        content = self._archive[start : start + size]
        return zlib.decompress(content[4:]) if packed else content
