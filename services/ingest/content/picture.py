"""Picture facts: what a walk through a file finds."""

from dataclasses import dataclass

from services.ingest.domain.media import MediaType


@dataclass(frozen=True)
class Picture:
    """A picture whose structure is whole.

    Attributes:
        media_type: Found from its content.
        width: In pixels, as stored; a format's own transforms are applied, an EXIF orientation is not.
        height: As `width`.
        exif_turns: Whether an EXIF orientation is still to be applied; HEIC and AVIF turn by their own transforms.
    """

    media_type: MediaType
    width: int
    height: int
    exif_turns: bool = True
