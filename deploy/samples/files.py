"""Writer of the roll's files, as a phone might have written them."""

import io
import os
from pathlib import Path
from typing import Final

import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from deploy.samples.credits import Credit
from deploy.samples.layout import Frame
from deploy.samples.metadata import exif, xmp
from deploy.samples.sources import Pixels

_QUALITY: Final = 88
_XMP_KEYWORD: Final = "XML:com.adobe.xmp"
# How many quarter turns, anticlockwise, bring an upright picture into the orientation that it is stored with.
_QUARTERS: Final = {1: 0, 3: 2, 6: 1, 8: 3}


def encoded(pixels: Pixels, frame: Frame, credit: Credit | None) -> bytes:
    """Encode an upright picture in the frame's format, with everything that the file says about itself."""
    quarters = _QUARTERS[stored_orientation(frame)]
    image = Image.fromarray(np.ascontiguousarray(np.rot90(pixels, quarters)))
    block, packet = exif(frame, credit, image.size), xmp(frame, credit)
    buffer = io.BytesIO()
    match frame.format:
        case "jpeg":
            image.save(buffer, "JPEG", quality=_QUALITY, exif=block, xmp=packet, subsampling="4:2:0")
        case "png":
            information = PngImagePlugin.PngInfo()
            information.add_itxt(_XMP_KEYWORD, packet.decode())
            image.save(buffer, "PNG", exif=block, pnginfo=information)
        case "webp":
            image.save(buffer, "WEBP", quality=_QUALITY, method=4, exif=block, xmp=packet)
        case "heic":
            heic, ultrafast = pillow_heif.from_pillow(image), {"preset": "ultrafast"}
            heic.save(buffer, quality=_QUALITY - 8, exif=block.tobytes(), xmp=packet, enc_params=ultrafast)
    return buffer.getvalue()


def stored_orientation(frame: Frame) -> int:
    """Return the EXIF orientation of a frame's file: HEIC turns pictures by a property of its own."""
    return 1 if frame.format == "heic" else frame.shot.orientation


def write(path: Path, content: bytes, moment: float) -> None:
    """Write a file at once or not at all, and dates it.

    Args:
        path: the file.
        content: what it holds.
        moment: seconds since the epoch, for the file's time of change.
    """
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.utime(part, (moment, moment))
    part.replace(path)
