"""Size limits of a picture, the same for every format."""

from dataclasses import dataclass

from services.ingest.errors import MediaCorrupt, MediaTooManyPixels


@dataclass(frozen=True)
class Limits:
    """How large a picture may be, in pixels."""

    max_pixels: int
    max_side: int

    def check(self, width: int, height: int) -> None:
        """Let a picture of these sides, in pixels, pass.

        Raises:
            MediaTooManyPixels: it is too large to be decoded with care.
            MediaCorrupt: a side is zero.
        """
        if width <= 0 or height <= 0:
            raise MediaCorrupt.of("its header gives it no size")
        if max(width, height) > self.max_side or width * height > self.max_pixels:
            raise MediaTooManyPixels.of(width, height, max_pixels=self.max_pixels, max_side=self.max_side)
