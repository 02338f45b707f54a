"""Position: where a picture says that it was taken. To be called only with consent to it in hand."""

from contextlib import suppress

from services.picture_files.blocks import Blocks
from services.picture_files.coordinates import position_of
from services.picture_files.exif import exif_tags, gps_position
from services.picture_files.xmp import read_xmp


def embedded_position(blocks: Blocks) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees: EXIF's, else XMP's; None if neither says any that make sense."""
    _, _, tags = exif_tags(blocks.exif)
    found = gps_position(tags)
    if found is not None:
        return found
    xmp = read_xmp(blocks.xmp)
    latitude, longitude = (
        (xmp.text(f"exif:{name}"), xmp.text(f"exif:{name}Ref")) for name in ("GPSLatitude", "GPSLongitude")
    )
    with suppress(ValueError, TypeError, ArithmeticError):
        return position_of(latitude, longitude)
    return None
