"""Meta box of a HEIC or AVIF file: its items, where their bytes lie, and how large they are."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.picture_files.walking import Malformed, Parts

_IN_FILE = 0
_BOX_HEADER_BYTES = 8
_QUARTER_TURNS = frozenset({1, 3})
# The upper left, upper right, lower left and lower right corner of what each EXIF orientation makes of "abcd".
_ORIENTATIONS = {"abcd": 1, "badc": 2, "dcba": 3, "cdab": 4, "acbd": 5, "cadb": 6, "dbca": 7, "bdac": 8}


@dataclass(frozen=True)
class Cicp:
    """Colours by code points (ITU-T H.273): of the primaries, of the transfer function, and whether values are full."""

    primaries: int
    transfer: int
    full_range: bool = True


@dataclass(frozen=True)
class HeifMeta:
    """What the box says.

    Attributes:
        sizes: Width and height in pixels of every item that has them.
        upright_size: Of the primary item, cropped and turned as it says.
        data_end: Where the last byte lies that an item needs, in bytes from the file's start.
        orientation: What the turns and mirrors (`irot`, `imir`) of the primary item come to, as an EXIF orientation.
        cicp: Its colours by code points; None if it names none.
    """

    sizes: tuple[tuple[int, int], ...]
    upright_size: tuple[int, int]
    data_end: int
    orientation: int = 1
    cicp: Cicp | None = None


class _Reader:
    """Reads numbers one after the other out of a part of the description, which is never copied.

    Raises:
        Malformed: from every method, where the bytes end too early.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data = data
        self._position = start
        self._end = end

    def again(self) -> "_Reader":
        """Return a reader of what is left, which moves by itself."""
        return _Reader(self._data, self._position, self._end)

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

    def boxes(self, parts: Parts) -> Iterator[tuple[bytes, "_Reader"]]:
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
            yield kind, _Reader(self._data, start, self._position)


def meta_of(data: bytes) -> HeifMeta | None:
    """Return what the `meta` box of a whole file says; None if there is none that can be read."""
    try:
        reader, parts = _Reader(data, 0, len(data)), Parts()
        while reader.left >= _BOX_HEADER_BYTES:
            parts.next()
            size, kind = reader.number(4), reader.take(4)
            length = reader.number(8) - 2 * _BOX_HEADER_BYTES if size == 1 else size - _BOX_HEADER_BYTES
            body = reader.left if size == 0 else max(length, 0)
            if kind == b"meta":
                return read_meta(reader.take(body))
            reader.skip(body)
    except Malformed:
        return None
    return None


def read_meta(body: bytes) -> HeifMeta:
    """Read the content of a `meta` box.

    Raises:
        Malformed: it is cut short, contradicts itself or names no picture.
    """
    reader, parts = _Reader(body, 0, len(body)), Parts()
    reader.skip(4)
    boxes = dict(reader.boxes(parts))
    missing = {b"pitm", b"iloc", b"iprp"} - boxes.keys()
    if missing:
        raise Malformed("its description names no picture")
    properties = _Properties(boxes[b"iprp"], parts)
    extents = _extents(boxes[b"iloc"], parts)
    primary = _primary(boxes[b"pitm"])
    return HeifMeta(
        sizes=tuple(properties.sizes()),
        upright_size=properties.upright_size(primary),
        data_end=max((offset + length for pieces in extents.values() for offset, length in pieces), default=0),
        orientation=properties.orientation(primary),
        cicp=properties.cicp(primary),
    )


def _primary(reader: _Reader) -> int:
    version = reader.number(4) >> 24
    return reader.number(2 if version == 0 else 4)


def _extents(reader: _Reader, parts: Parts) -> dict[int, list[tuple[int, int]]]:
    """Return offset and length of each item's pieces that lie in the file itself."""
    version = reader.number(4) >> 24
    offset_size, length_size = divmod(reader.number(1), 16)
    base_size, index_size = divmod(reader.number(1), 16)
    index_size = index_size if version > 0 else 0
    found: dict[int, list[tuple[int, int]]] = {}
    for _ in range(reader.number(2 if version < 2 else 4)):
        parts.next()
        item_id = reader.number(2 if version < 2 else 4)
        method = reader.number(2) & 15 if version > 0 else _IN_FILE
        reader.take(2)
        base, count = reader.number(base_size), reader.number(2)
        if count > max(1, reader.left):
            raise Malformed("its description is cut short")
        pieces = []
        for _ in range(count):
            parts.next()
            reader.skip(index_size)
            pieces.append((base + reader.number(offset_size), reader.number(length_size)))
        if method == _IN_FILE:
            found[item_id] = pieces
    return found


class _Properties:
    """The properties of items, and which item has which."""

    def __init__(self, reader: _Reader, parts: Parts) -> None:
        boxes = dict(reader.boxes(parts))
        if b"ipco" not in boxes or b"ipma" not in boxes:
            raise Malformed("its description gives the picture no size")
        self._properties = list(boxes[b"ipco"].boxes(parts))
        self._of_item = dict(_associations(boxes[b"ipma"], parts))
        self._sizes = {
            index: (content.number(4), content.number(4))
            for index, (kind, content) in enumerate(self._properties)
            if kind == b"ispe" and content.number(4) == 0
        }

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Yield every size that is named."""
        return iter(self._sizes.values())

    def upright_size(self, item_id: int) -> tuple[int, int]:
        """Return width and height of an item, cropped and turned as it says."""
        size: tuple[int, int] | None = None
        for index in self._of_item.get(item_id, []):
            if index in self._sizes:
                size = self._sizes[index]
            elif size is not None and 0 <= index < len(self._properties):
                kind, content = self._properties[index]
                size = _transformed(size, kind, content.again())
        if size is None:
            raise Malformed("its description gives the picture no size")
        return size

    def orientation(self, item_id: int) -> int:
        """Return what an item's turns and mirrors come to, one after the other, as an EXIF orientation."""
        corners = "abcd"
        for kind, content in self._of(item_id):
            corners = _turned(corners, kind, content)
        return _ORIENTATIONS[corners]

    def cicp(self, item_id: int) -> Cicp | None:
        """Return the code points of an item's colours; any that are named where it is made of tiles."""
        everything = ((kind, content.again()) for kind, content in self._properties)
        for kind, content in (*self._of(item_id), *everything):
            if kind == b"colr" and content.take(4) == b"nclx":
                primaries, transfer, _ = (content.number(2) for _ in range(3))
                return Cicp(primaries, transfer)
        return None

    def _of(self, item_id: int) -> Iterator[tuple[bytes, _Reader]]:
        for index in self._of_item.get(item_id, []):
            if 0 <= index < len(self._properties):
                kind, content = self._properties[index]
                yield kind, content.again()


def _transformed(size: tuple[int, int], kind: bytes, content: _Reader) -> tuple[int, int]:
    """Return a size after a crop (`clap`) or a turn (`irot`); other properties leave it."""
    width, height = size
    if kind == b"irot" and content.number(1) & 3 in _QUARTER_TURNS:
        return height, width
    if kind == b"clap":
        width_over, width_under, height_over, height_under = (content.number(4) for _ in range(4))
        if not 0 < width_over <= width * width_under or not 0 < height_over <= height * height_under:
            # As decoders do: a crop of nothing, or of more than there is, is none.
            return size
        return width_over // width_under, height_over // height_under
    return size


def _turned(corners: str, kind: bytes, content: _Reader) -> str:
    """Return where the corners are after a quarter turn against the clock (`irot`) or a mirror (`imir`)."""
    upper_left, upper_right, lower_left, lower_right = tuple(corners)
    if kind == b"irot":
        for _ in range(content.number(1) & 3):
            upper_left, upper_right, lower_left, lower_right = upper_right, lower_right, upper_left, lower_left
    elif kind == b"imir" and content.number(1) & 1:
        return upper_right + upper_left + lower_right + lower_left
    elif kind == b"imir":
        return lower_left + lower_right + upper_left + upper_right
    return upper_left + upper_right + lower_left + lower_right


def _associations(reader: _Reader, parts: Parts) -> Iterator[tuple[int, list[int]]]:
    """Yield each item with the indices of its properties, counted from 0."""
    head = reader.number(4)
    version, wide = head >> 24, head & 1
    for _ in range(reader.number(4)):
        parts.next()
        item_id = reader.number(2 if version < 1 else 4)
        count = reader.number(1)
        indices = [reader.number(1 + wide) for _ in range(count)]
        yield item_id, [(index & (0x7FFF if wide else 0x7F)) - 1 for index in indices]
