"""Blocks of metadata, as a walk through a picture file collects them."""

from dataclasses import dataclass, field
from typing import Final

from services.picture_files.walking import Skip, Take, Walk

MAX_BLOCK_BYTES: Final = 1024 * 1024
"""A longer block is left unread: it is no camera's."""


@dataclass
class Blocks:
    """What a file says of itself, block by block; of each kind the first.

    Attributes:
        exif: The EXIF block, with or without the prefix that JPEG wants before its TIFF header.
        xmp: The XMP packet.
        iptc: Photoshop's image resources, or the IPTC records alone.
        container: A time of creation that the container itself has a field for, as text.
        container_change: One of the last change, likewise.
    """

    exif: bytes | None = field(default=None, repr=False)
    xmp: bytes | None = field(default=None, repr=False)
    iptc: bytes | None = field(default=None, repr=False)
    container: str = ""
    container_change: str = ""


def body_or_nothing(size: int) -> Walk[bytes]:
    """Take a part's body; one that is too large for a block is passed over, and is empty."""
    if size <= MAX_BLOCK_BYTES:
        return (yield Take(size))
    yield Skip(size)
    return b""
