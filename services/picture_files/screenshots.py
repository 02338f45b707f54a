"""Screenshots: told by their names, unless a camera says that it took the picture."""

import re
from typing import Final

from PIL import ExifTags, Image

_Tag = ExifTags.Base
# What phones and desktops call them, in the languages they speak.
_NAME: Final = re.compile(
    r"screen[ _-]?shot|screen[ _-]?capture|screencap|capture[ _-]d[’' _-]?[eé]cran|^capture\+|bildschirm(foto|aufnahme)"
    r"|captura[ _-]de[ _-](pantalla|tela|ecr[aã])|schermata|schermafbeelding|sk[aä]rm(bild|avbild|dump)|sk[aæ]rmbillede"
    r"|skjermbilde|zrzut[ _-]ekranu|снимок[ _-]экрана|ekran[ _-]g[oö]r[uü]nt[uü]s[uü]"
    r"|スクリーンショット|屏幕截图|屏幕快照|截屏|螢幕截圖|截圖|스크린샷",
    re.IGNORECASE,
)
# A name that many things have: of a picture without loss it means a screenshot, of others a photo.
_PERHAPS: Final = re.compile(r"^capture([ _-]?\(?\d*\)?)?\.png$", re.IGNORECASE)
_OPTICS: Final = (_Tag.ExposureTime, _Tag.FNumber, _Tag.ISOSpeedRatings, _Tag.FocalLength, _Tag.LensModel)
_COMMENT: Final = re.compile(rb"screenshot", re.IGNORECASE)


def is_screenshot(name: str, exif: Image.Exif) -> bool:
    """Tell whether a picture is a screenshot.

    Args:
        name: Of the file, without folders.
        exif: What it says of itself; a camera's name or a lens make it a photo, whatever it is called.
    """
    block = exif.get_ifd(ExifTags.IFD.Exif)
    comment = block.get(_Tag.UserComment)
    if isinstance(comment, bytes) and _COMMENT.search(comment):
        return True
    is_camera = (_Tag.Make in exif and _Tag.Model in exif) or any(tag in block for tag in _OPTICS)
    return not is_camera and is_screenshot_name(name)


def is_screenshot_name(name: str) -> bool:
    """Tell whether a picture is called as screenshots are."""
    return _NAME.search(name) is not None or _PERHAPS.search(name) is not None
