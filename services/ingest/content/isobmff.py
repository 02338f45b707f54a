"""HEIC and AVIF (ISO/IEC 23008-12): boxes, one of which, `meta`, says where every piece of the picture lies.

A file is whole if every extent that `meta` names lies within it. Behind the last of them some phones write bytes that
are no boxes, which is no part of the picture.
"""

from services.ingest.content.picture import Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.picture_files.heif_meta import HeifMeta, read_meta
from services.picture_files.walking import Malformed, Parts, Skip, Take, Walk


class _Position:
    """Where the walk is, and what it found."""

    def __init__(self, file_bytes: int) -> None:
        self.now = 0
        self.file_bytes = file_bytes
        self.meta: HeifMeta | None = None

    @property
    def is_behind_the_picture(self) -> bool:
        """Whether all that the description names has passed."""
        return self.meta is not None and self.now >= self.meta.data_end


def walk_isobmff(media_type: MediaType, limits: Limits, file_bytes: int) -> Walk[Picture]:
    """Walk over the boxes, up to the last that belongs to the picture.

    Args:
        media_type: HEIC or AVIF, by its brands.
        limits: How large a picture may be.
        file_bytes: Announced length of the file.
    """
    at, parts = _Position(file_bytes), Parts()
    while at.now < file_bytes and not at.is_behind_the_picture:
        parts.next()
        yield from _box(at, limits)
    if at.meta is None:
        raise Malformed("it holds no picture")
    return Picture(media_type, *at.meta.upright_size, exif_turns=False)


def _box(at: _Position, limits: Limits) -> Walk[None]:
    start = at.now
    if at.file_bytes - start < 8:
        raise Malformed("it ends within the header of a box")
    head = yield Take(8)
    at.now += 8
    size, kind = int.from_bytes(head[:4], "big"), head[4:]
    if size == 1:
        size = int.from_bytes((yield Take(8)), "big")
        at.now += 8
    end = at.file_bytes if size == 0 else start + size
    if kind == b"mdat" and at.meta is not None and end > at.file_bytes:
        # All that the description names was found to lie within the file.
        end = at.file_bytes
    if not at.now <= end <= at.file_bytes:
        raise Malformed(f"its {kind.decode('latin-1')!r} box ends at byte {end} of {at.file_bytes}")
    if kind == b"meta" and at.meta is None:
        at.meta = _checked(read_meta((yield Take(end - at.now))), limits, at.file_bytes)
        at.now = end
    yield Skip(end - at.now)
    at.now = end


def _checked(meta: HeifMeta, limits: Limits, file_bytes: int) -> HeifMeta:
    for width, height in meta.sizes:
        limits.check(width, height)
    if meta.data_end > file_bytes:
        raise Malformed(f"its picture data ends at byte {meta.data_end} of {file_bytes}")
    return meta
