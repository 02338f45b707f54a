"""Where a picture says it was taken. Called only with LOCATION's key in hand."""

import math
from collections.abc import Mapping

from PIL import ExifTags, Image

from services.analysis.domain.findings import Position


def read_position(exif: Image.Exif) -> Position | None:
    """Returns the position of the GPS block (EXIF 2.32, 4.6.6); None if there is none, or none that makes sense."""
    try:
        block = exif.get_ifd(ExifTags.IFD.GPSInfo)
        latitude = _degrees(block, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S")
        longitude = _degrees(block, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W")
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    # Cameras without a fix write zeros.
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):
        return None
    return Position(latitude, longitude)


def _degrees(block: Mapping[int, object], value: int, reference: int, negative: str) -> float:
    parts = block[value]
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        raise ValueError("degrees, minutes and seconds are expected")
    degrees = math.fsum(float(part) / 60**power for power, part in enumerate(parts))
    if not math.isfinite(degrees):
        raise ValueError("not a number")
    side = str(block.get(reference, "")).strip("\0 ").upper()
    return -degrees if side == negative else degrees
