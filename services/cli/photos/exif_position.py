"""Position for a reduced copy: whatever block of the picture said it, the copy says it in EXIF."""

from __future__ import annotations

from PIL import ExifTags, Image

_GPS = ExifTags.GPS


def put_position(exif: Image.Exif, position: tuple[float, float] | None) -> None:
    """Write a position in degrees into EXIF, as cameras should and do not always; None leaves what is there."""
    if position is None:
        return
    latitude, longitude = position
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            _GPS.GPSLatitudeRef: "S" if latitude < 0 else "N",
            _GPS.GPSLatitude: _sexagesimal(latitude),
            _GPS.GPSLongitudeRef: "W" if longitude < 0 else "E",
            _GPS.GPSLongitude: _sexagesimal(longitude),
        }
    )


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    """Return degrees, minutes and seconds, the last to a hundred-thousandth: less than a millimetre."""
    whole, rest = divmod(round(abs(degrees) * 3600, 5), 3600)
    minutes, seconds = divmod(rest, 60)
    return whole, minutes, round(seconds, 5)
