"""What a walk through a picture finds, and the limits that hold for every format."""

from dataclasses import dataclass, field

from services.ingest.domain import MediaType
from services.ingest.errors import MediaCorrupt, MediaTooManyPixels

MAX_EXIF_BYTES = 1024 * 1024
"""A longer EXIF block is left unread: it is no camera's."""

EXIF_PREFIX = b"Exif\0\0"


@dataclass(frozen=True)
class Limits:
    """How large a picture may be, in pixels."""

    max_pixels: int
    max_side: int

    def check(self, width: int, height: int) -> None:
        """Lets a picture of these sides, in pixels, pass.

        Raises:
            MediaTooManyPixels: it is too large to be decoded with care.
            MediaCorrupt: a side is zero.
        """
        if width <= 0 or height <= 0:
            raise MediaCorrupt("its header gives it no size")
        if max(width, height) > self.max_side or width * height > self.max_pixels:
            raise MediaTooManyPixels(
                f"it has {width} x {height} pixels: send at most {self.max_pixels}, {self.max_side} a side",
                metadata={
                    "width": str(width),
                    "height": str(height),
                    "limit_pixels": str(self.max_pixels),
                    "limit_side": str(self.max_side),
                },
            )


@dataclass(frozen=True)
class Picture:
    """A picture whose structure is whole.

    Attributes:
        media_type: Found from its content.
        width: In pixels, as stored; a format's own transforms are applied, an EXIF orientation is not.
        height: As `width`.
        exif: Its EXIF block from the TIFF header on; None if it has none that can be read.
        exif_turns: Whether an EXIF orientation is still to be applied; HEIC and AVIF turn by their own transforms.
    """

    media_type: MediaType
    width: int
    height: int
    exif: bytes | None = field(default=None, repr=False)
    exif_turns: bool = True


def tiff_block(exif: bytes) -> bytes:
    """Returns an EXIF block from its TIFF header on, with or without the prefix that JPEG wants."""
    return exif.removeprefix(EXIF_PREFIX)
