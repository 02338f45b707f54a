"""Picture facts: what a walk through a file finds."""

from dataclasses import dataclass, field

from services.ingest.domain.media import MediaType

MAX_EXIF_BYTES = 1024 * 1024
"""A longer EXIF block is left unread: it is no camera's."""


@dataclass(frozen=True)
class Picture:
    """A picture whose structure is whole.

    Attributes:
        media_type: Found from its content.
        width: In pixels, as stored; a format's own transforms are applied, an EXIF orientation is not.
        height: As `width`.
        exif: Its EXIF block; None if it has none.
        exif_turns: Whether an EXIF orientation is still to be applied; HEIC and AVIF turn by their own transforms.
    """

    media_type: MediaType
    width: int
    height: int
    exif: bytes | None = field(default=None, repr=False)
    exif_turns: bool = True
