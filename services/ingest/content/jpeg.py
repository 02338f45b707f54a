"""JPEG as the service takes it: a header within the limits, and picture data behind it."""

from services.ingest.content.picture import Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.picture_files import jpeg
from services.picture_files.walking import Malformed, Walk


class _Found:
    """What the segments said so far."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.size: tuple[int, int] | None = None

    def see(self, segment: jpeg.Segment) -> None:
        """Take note of a segment."""
        size = segment.frame_size
        if size is not None:
            self._limits.check(*size)
            self.size = size


def walk_jpeg(limits: Limits) -> Walk[Picture]:
    """Walk from the first byte to the end marker, or to the end of the file behind picture data."""
    found = _Found(limits)
    yield from jpeg.walk_jpeg(found.see)
    if found.size is None:
        raise Malformed("its picture data comes without a header")
    return Picture(MediaType.JPEG, *found.size)
