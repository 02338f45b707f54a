"""Meta box of a HEIC or AVIF file: its items, where their bytes lie, and how large they are."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.picture_files.isobmff_boxes import IN_FILE, BoxReader, locations
from services.picture_files.walking import Malformed, Parts

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


def meta_of(data: bytes) -> HeifMeta | None:
    """Return what the `meta` box of a whole file says; None if there is none that can be read."""
    try:
        reader, parts = BoxReader(data, 0, len(data)), Parts()
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
    reader, parts = BoxReader(body, 0, len(body)), Parts()
    reader.skip(4)
    boxes = dict(reader.boxes(parts))
    missing = {b"pitm", b"iloc", b"iprp"} - boxes.keys()
    if missing:
        raise Malformed("its description names no picture")
    properties = _Properties(boxes[b"iprp"], parts)
    pieces = [piece for item in locations(boxes[b"iloc"], parts) if item.method == IN_FILE for piece in item.pieces]
    primary = _primary(boxes[b"pitm"])
    return HeifMeta(
        sizes=tuple(properties.sizes()),
        upright_size=properties.upright_size(primary),
        data_end=max((offset + length for offset, length in pieces), default=0),
        orientation=properties.orientation(primary),
        cicp=properties.cicp(primary),
    )


def _primary(reader: BoxReader) -> int:
    version = reader.number(4) >> 24
    return reader.number(2 if version == 0 else 4)


class _Properties:
    """The properties of items, and which item has which."""

    def __init__(self, reader: BoxReader, parts: Parts) -> None:
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

    def _of(self, item_id: int) -> Iterator[tuple[bytes, BoxReader]]:
        for index in self._of_item.get(item_id, []):
            if 0 <= index < len(self._properties):
                kind, content = self._properties[index]
                yield kind, content.again()


def _transformed(size: tuple[int, int], kind: bytes, content: BoxReader) -> tuple[int, int]:
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


def _turned(corners: str, kind: bytes, content: BoxReader) -> str:
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


def _associations(reader: BoxReader, parts: Parts) -> Iterator[tuple[int, list[int]]]:
    """Yield each item with the indices of its properties, counted from 0."""
    head = reader.number(4)
    version, wide = head >> 24, head & 1
    for _ in range(reader.number(4)):
        parts.next()
        item_id = reader.number(2 if version < 1 else 4)
        count = reader.number(1)
        indices = [reader.number(1 + wide) for _ in range(count)]
        yield item_id, [(index & (0x7FFF if wide else 0x7F)) - 1 for index in indices]
