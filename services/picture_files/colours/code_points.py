"""Colours by code points (ITU-T H.273, "CICP"), as PNG, HEIC and AVIF name them, and their way to sRGB.

What is brighter than paper (PQ and HLG, ITU-R BT.2100) is mapped to the range of sRGB as ITU-R BT.2390-11, 5.4 says:
paper white is 203 cd/m2 (ITU-R BT.2408), and what has 1,000 cd/m2 becomes white.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.picture_files.heif_meta import Cicp

Floats: TypeAlias = NDArray[np.float64]
Picture: TypeAlias = NDArray[np.uint8]
Chromaticities: TypeAlias = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

PQ: Final = 16
HLG: Final = 18
_D65: Final = (0.3127, 0.3290)
_C: Final = (0.310, 0.316)
_SRGB: Final[Chromaticities] = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: Final[dict[int, Chromaticities]] = {
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# The curves of television (1, 6, 7, 11, 12, 14, 15) were made for screens, and every viewer shows them as sRGB.
_CURVES: Final[dict[int, Callable[[Floats], Floats]]] = {
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    8: lambda value: value,
    9: lambda value: np.where(value > 0, 10.0 ** (2.0 * (value - 1.0)), 0.0),
    10: lambda value: np.where(value > 0, 10.0 ** (2.5 * (value - 1.0)), 0.0),
    17: lambda value: 52.37 / 48.0 * value**2.6,
}
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_PAPER: Final = 203.0
_PEAK: Final = 1000.0
_PQ_PEAK: Final = 10_000.0
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_GAMMA: Final = 1.2
_BT2020_LUMA: Final = np.array([0.2627, 0.6780, 0.0593])
_STEPS: Final = 4095
_ROWS: Final = 128
"""Rows that are converted at a time, so that a picture never stands in memory as floating-point numbers."""


@dataclass(frozen=True)
class Coding:
    """What numbers from 0 to 1 mean.

    Attributes:
        primaries: Chromaticities of white and of the primaries; None for those of sRGB.
        transfer: Transfer function by its code point; what is none of those known counts as that of sRGB.
        gamma: Exponent of a power law in place of a transfer function.
        full_range: Whether black is 0 and white the largest number, not those of television.
    """

    primaries: Chromaticities | None = None
    transfer: int = 13
    gamma: float | None = None
    full_range: bool = True

    @property
    def is_srgb(self) -> bool:
        """Whether these are the numbers of sRGB."""
        plain = self.gamma is None and self.transfer not in _CURVES and not self.is_bright
        return plain and self.full_range and self.primaries in (None, _SRGB)

    @property
    def is_bright(self) -> bool:
        """Whether there is more than paper white (HDR)."""
        return self.gamma is None and self.transfer in (PQ, HLG)


def coding_of(cicp: Cicp) -> Coding:
    """Return what code points mean; unspecified, reserved and unknown ones mean sRGB."""
    return Coding(_PRIMARIES.get(cicp.primaries), cicp.transfer, full_range=cicp.full_range)


def to_srgb(picture: Picture, coding: Coding) -> Picture:
    """Return an RGB picture in sRGB.

    Args:
        picture: [height, width, 3].
        coding: What its numbers mean; its primaries span a space.
    """
    decoded, matrix = _decoding(coding), _to_srgb_primaries(coding.primaries)
    encoded = _srgb_encoding()
    converted = np.empty_like(picture)
    for top in range(0, len(picture), _ROWS):
        light = decoded[picture[top : top + _ROWS]]
        if coding.is_bright:
            light = _without_brightness(light, coding.transfer)
        linear = np.clip(light @ matrix.T, 0.0, 1.0)
        converted[top : top + _ROWS] = encoded[np.rint(np.sqrt(linear) * _STEPS).astype(np.int32)]
    return converted


def spans_a_space(primaries: Chromaticities) -> bool:
    """Whether chromaticities are those of three colours and a white that can be mixed of them."""
    try:
        matrix = _to_xyz(primaries)
    except (ArithmeticError, np.linalg.LinAlgError):
        return False
    return bool(np.isfinite(matrix).all()) and abs(float(np.linalg.det(matrix))) > 1e-6


@lru_cache(maxsize=32)
def _decoding(coding: Coding) -> NDArray[np.float32]:
    """Return what each of 256 numbers means: light relative to white, of PQ in cd/m2, of HLG that of the scene."""
    value = np.arange(256) / 255.0
    if not coding.full_range:
        value = np.clip((value * 255.0 - 16.0) / 219.0, 0.0, 1.0)
    if coding.gamma is not None:
        return np.asarray(value**coding.gamma, np.float32)
    if coding.transfer == PQ:
        return np.asarray(_pq_light(value), np.float32)
    if coding.transfer == HLG:
        return np.asarray(_hlg_scene(value), np.float32)
    return np.asarray(_CURVES.get(coding.transfer, _srgb_light)(value), np.float32)


@lru_cache(maxsize=32)
def _to_srgb_primaries(primaries: Chromaticities | None) -> NDArray[np.float32]:
    if primaries is None:
        return np.eye(3, dtype=np.float32)
    adapted = _adaptation(primaries[:2]) @ _to_xyz(primaries)
    return np.asarray(np.linalg.inv(_to_xyz(_SRGB)) @ adapted, np.float32)


def _to_xyz(primaries: Chromaticities) -> Floats:
    """Return the matrix from linear RGB to XYZ (SMPTE RP 177)."""
    white, *colours = (_xyz(primaries[index], primaries[index + 1]) for index in range(0, 8, 2))
    columns = np.array(colours).T
    return np.asarray(columns * np.linalg.solve(columns, white), np.float64)


def _xyz(x: float, y: float) -> list[float]:
    # Of the primaries any length will do, and that of Z has y = 0.
    return [x, y, 1.0 - x - y] if y == 0 else [x / y, 1.0, (1.0 - x - y) / y]


def _adaptation(white: tuple[float, ...]) -> Floats:
    """Return the matrix that makes a white that of sRGB (Bradford)."""
    seen, wanted = _BRADFORD @ _xyz(*white), _BRADFORD @ _xyz(*_D65)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(wanted / seen) @ _BRADFORD, np.float64)


@lru_cache(maxsize=1)
def _srgb_encoding() -> Picture:
    """Return the sRGB number of light whose square root is the index: even steps to the eye."""
    light = (np.arange(_STEPS + 1) / _STEPS) ** 2
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255), np.uint8)


def _srgb_light(value: Floats) -> Floats:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _pq_light(value: Floats) -> Floats:
    """Return cd/m2 (BT.2100, table 4)."""
    root = value ** (1 / _M2)
    return np.asarray(_PQ_PEAK * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1), np.float64)


def _pq_value(light: Floats) -> Floats:
    root = (light / _PQ_PEAK) ** _M1
    return np.asarray(((_C1 + _C2 * root) / (1 + _C3 * root)) ** _M2, np.float64)


def _hlg_scene(value: Floats) -> Floats:
    """Return the light of the scene, 0..1 (BT.2100, table 5)."""
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - _HLG_C) / _HLG_A) + _HLG_B) / 12)


def _without_brightness(light: NDArray[np.float32], transfer: int) -> NDArray[np.float32]:
    """Return light relative to white, with what is brighter than that brought down and hues kept."""
    if transfer == HLG:
        luma = np.maximum(light @ _BT2020_LUMA, 1e-6)[..., None]
        light = _PEAK * light * luma ** (_HLG_GAMMA - 1)
    brightest = light.max(-1)
    nodes, factors = _tone_factors()
    factor = np.interp(brightest, nodes, factors)
    return np.asarray(light * (factor / _PAPER)[..., None], np.float32)


@lru_cache(maxsize=1)
def _tone_factors() -> tuple[Floats, Floats]:
    """Return for some brightnesses in cd/m2 by how much each is reduced (BT.2390-11, 5.4.1)."""
    nodes = np.concatenate([[0.0], np.geomspace(0.01, _PQ_PEAK, 512)])
    span = float(_pq_value(np.array(_PEAK)))
    value = np.minimum(_pq_value(nodes) / span, 1.0)
    most = float(_pq_value(np.array(_PAPER))) / span
    knee = 1.5 * most - 0.5
    t = np.clip((value - knee) / (1 - knee), 0.0, 1.0)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    target = _pq_light(np.where(value < knee, value, curve) * span)
    return nodes, target / np.maximum(nodes, 1e-9)
