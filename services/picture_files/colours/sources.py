"""Colour sources: which of the things that a file says about its colours counts.

PNG (third edition, 4.3): `cICP`, then `iCCP`, `sRGB`, then `gAMA` with `cHRM`. HEIC and AVIF: an ICC profile, then code
points (`nclx`). JPEG and WebP: an ICC profile. What says nothing, or nothing that can be, is sRGB.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image

from services.picture_files.colours.code_points import Coding, coding_of, spans_a_space, to_srgb
from services.picture_files.colours.profiles import Profile, bright_code_points, read_profile
from services.picture_files.heif_meta import Cicp, meta_of

GRAY_MODES: Final = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})
"""Pillow's modes of pictures without colours."""
_SRGB: Final = Coding()
_PNG_SIGNATURE_BYTES: Final = 8
_MOST_CHUNKS: Final = 1000
_CICP_BYTES: Final = 4
_SRGB_GAMMA: Final = (2.15, 2.25)
"""Between these, `gAMA` means sRGB, for which programs write 2.2."""
_GAMMAS: Final = (0.2, 5.0)


@dataclass(frozen=True)
class Colours:
    """What the numbers of a picture mean: a profile that fits it, or a coding.

    Attributes:
        profile: Counts if it is there.
        coding: Counts otherwise.
    """

    profile: Profile | None = field(default=None, repr=False)
    coding: Coding = _SRGB

    @property
    def is_srgb(self) -> bool:
        """Whether the numbers are those of sRGB as they are."""
        return self.coding.is_srgb if self.profile is None else self.profile.is_srgb

    def convert(self, image: Image.Image) -> Image.Image:
        """Return an opaque picture (L, RGB or CMYK) in sRGB, of mode RGB."""
        if self.profile is not None and not self.profile.is_srgb:
            return self.profile.apply(image if image.mode == self.profile.mode else image.convert(self.profile.mode))
        plain = image.convert("RGB")
        return plain if self.is_srgb else Image.fromarray(to_srgb(np.asarray(plain, np.uint8), self.coding))


def colours_of(image: Image.Image, data: bytes) -> Colours:
    """Return what counts of what a file says about its colours.

    Args:
        image: The file as Pillow opened it.
        data: The file.
    """
    match image.format:
        case "PNG":
            return _of_png(image, data)
        case "HEIF" | "AVIF":
            meta = meta_of(data)
            coded = Colours() if meta is None or meta.cicp is None else Colours(coding=coding_of(meta.cicp))
            return _of_profile(image) or coded
        case _:
            return _of_profile(image) or Colours()


def _of_png(image: Image.Image, data: bytes) -> Colours:
    cicp = _png_cicp(data)
    if cicp is not None:
        return Colours(coding=coding_of(cicp))
    by_profile = _of_profile(image)
    if by_profile is not None or "srgb" in image.info:
        return by_profile or Colours()
    return Colours(coding=_of_gamma(image))


def _of_profile(image: Image.Image) -> Colours | None:
    """Return what the ICC profile says, if it is one for pictures such as this."""
    data = image.info.get("icc_profile")
    if not isinstance(data, bytes) or not data:
        return None
    cicp = bright_code_points(data)
    if cicp is not None and image.mode != "CMYK":
        return Colours(coding=coding_of(cicp))
    profile = read_profile(data)
    return Colours(profile) if profile is not None and _fits(profile, image.mode) else None


def _fits(profile: Profile, mode: str) -> bool:
    """Whether a profile is for pictures of a mode; a colour profile also tells how bright grays are."""
    if profile.mode == "L":
        return mode in GRAY_MODES
    return (profile.mode == "CMYK") == (mode == "CMYK")


def _of_gamma(image: Image.Image) -> Coding:
    gamma, chromaticities = image.info.get("gamma"), image.info.get("chromaticity")
    if not isinstance(gamma, float) or not _GAMMAS[0] < gamma < _GAMMAS[1]:
        return Coding()
    exponent = None if _SRGB_GAMMA[0] < 1 / gamma < _SRGB_GAMMA[1] else 1 / gamma
    if not isinstance(chromaticities, tuple) or len(chromaticities) != 8 or not spans_a_space(chromaticities):
        return Coding(gamma=exponent)
    return Coding(_rounded(chromaticities), gamma=exponent)


def _rounded(primaries: tuple[float, ...]) -> tuple[float, float, float, float, float, float, float, float]:
    """Return chromaticities on four digits, of which those of sRGB have no more."""
    one, two, three, four, five, six, seven, eight = (round(float(each), 4) for each in primaries)
    return one, two, three, four, five, six, seven, eight


def _png_cicp(data: bytes) -> Cicp | None:
    for kind, body in _chunks_before_data(data):
        if kind == b"cICP" and len(body) == _CICP_BYTES:
            return Cicp(body[0], body[1], full_range=body[3] != 0)
    return None


def _chunks_before_data(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of the first chunks of a PNG, up to its picture data; long bodies are cut."""
    position = _PNG_SIGNATURE_BYTES
    for _ in range(_MOST_CHUNKS):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if kind in (b"IDAT", b"IEND", b""):
            return
        yield kind, data[position + 8 : position + 8 + min(length, _CICP_BYTES + 1)]
        position += 12 + length
