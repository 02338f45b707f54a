"""Files whose colours are said in every way there is: ICC profiles that are made here, code points, gamma, alpha."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from tests.unit.ingest.pictures import png_chunk

Numbers = NDArray[np.uint8] | NDArray[np.uint16]
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Columns of the matrices to XYZ under D50, as profiles have them: red, green, blue.
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
CARD = ((200, 60, 60), (60, 180, 60), (60, 60, 200), (128, 128, 128), (235, 200, 170), (40, 30, 25))


def card(width: int = 96, height: int = 64) -> Image.Image:
    """Return three columns and two rows of colours."""
    rows = np.array(CARD, np.uint8).reshape(2, 3, 3)
    return Image.fromarray(rows).resize((width, height), Image.Resampling.NEAREST)


def srgb_curve(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return value


def rgb_profile(name: str, columns: tuple[tuple[float, ...], ...], curve: Curve) -> bytes:
    """Return a matrix profile."""
    tags = {f"{colour}XYZ": _xyz(*column) for colour, column in zip("rgb", columns, strict=True)}
    return _profile(name, b"RGB ", b"XYZ ", tags | {f"{colour}TRC": _curve(curve) for colour in "rgb"})


def gray_profile(name: str, curve: Curve) -> bytes:
    return _profile(name, b"GRAY", b"XYZ ", {"kTRC": _curve(curve)})


def ink_profile(name: str) -> bytes:
    """Return a profile of a press with pale inks: a table of two points to a channel (`mft1`), to Lab."""
    nodes = bytearray()
    for point in range(16):
        cyan, magenta, yellow, black = (point >> bit & 1 for bit in (3, 2, 1, 0))
        share = 0.3 if black else 1.0
        lightness, a, b = 98 - 30 * cyan - 25 * magenta - 6 * yellow, 40 * magenta - 30 * cyan, 55 * yellow - 35 * cyan
        nodes += bytes([round(lightness * share * 2.55), round(a * share) + 128, round(b * share) + 128])
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    ramp = bytes(range(256))
    return _profile(name, b"CMYK", b"Lab ", {"A2B0": table + ramp * 4 + bytes(nodes) + ramp * 3}, kind=b"prtr")


def with_code_points(profile: bytes, primaries: int, transfer: int) -> bytes:
    """Return a profile with one more tag (`cicp`)."""
    count = int.from_bytes(profile[128:132], "big")
    tags = [struct.unpack_from(">4sLL", profile, 132 + 12 * index) for index in range(count)]
    bodies = {tag.decode(): profile[start : start + size] for tag, start, size in tags}
    bodies["cicp"] = b"cicp\0\0\0\0" + bytes([primaries, transfer, 0, 1])
    return _assembled(profile[4:128], bodies)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return a file with as little loss as its format allows."""
    pillow_heif.register_heif_opener()
    best: Mapping[str, Mapping[str, object]] = {
        "JPEG": {"quality": 98} | ({} if image.mode == "L" else {"subsampling": 0}),
        "WEBP": {"lossless": True},
        "HEIF": {"quality": 98, "chroma": 444},
        "AVIF": {"quality": 98, "subsampling": "4:4:4"},
    }
    buffer = io.BytesIO()
    image.save(buffer, kind, **{**best.get(kind, {}), **options})
    return buffer.getvalue()


def coded(image: Image.Image, kind: str, primaries: int, transfer: int) -> bytes:
    """Return a file that says code points."""
    if kind == "PNG":
        return with_chunks(encoded(image, "PNG"), (b"cICP", bytes([primaries, transfer, 0, 1])))
    data = bytearray(encoded(image, kind))
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def with_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG with chunks behind its header."""
    return data[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + data[33:]


def gamma_chunks(exponent: float, chromaticities: tuple[float, ...] | None = None) -> tuple[tuple[bytes, bytes], ...]:
    gamma = (b"gAMA", struct.pack(">L", round(100_000 / exponent)))
    if chromaticities is None:
        return (gamma,)
    return gamma, (b"cHRM", struct.pack(">8L", *(round(each * 100_000) for each in chromaticities)))


def png_of(
    rows: NDArray[np.uint8] | NDArray[np.uint16], depth: int, colour: int, *chunks: tuple[bytes, bytes]
) -> bytes:
    """Return a PNG of numbers as they are.

    Args:
        rows: [height, width] or [height, width, channels].
        depth: Bits of a number: 1, 2, 4 (one channel, packed here), 8 or 16.
        colour: Colour type: 0 gray, 2 RGB, 4 gray with alpha, 6 RGBA.
        chunks: To stand before the picture data.
    """
    height, width = rows.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    lines = b"".join(b"\0" + _packed(row, depth) for row in rows)
    body = (
        png_chunk(b"IHDR", header),
        *(png_chunk(*chunk) for chunk in chunks),
        png_chunk(b"IDAT", zlib.compress(lines)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body) + png_chunk(b"IEND", b"")


def _packed(row: Numbers, depth: int) -> bytes:
    if depth >= 8:
        return row.astype(">u2" if depth == 16 else np.uint8).tobytes()
    bits = (row[:, None].astype(np.uint8) >> np.arange(depth - 1, -1, -1, dtype=np.uint8)) & 1
    return np.packbits(bits.ravel()).tobytes()


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}l", *(round(value * 65536) for value in values))


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _curve(curve: Curve) -> bytes:
    points: bytes = np.rint(curve(np.linspace(0, 1, 2048)) * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">L", len(points) // 2) + points


def _profile(name: str, space: bytes, connection: bytes, tags: Mapping[str, bytes], *, kind: bytes = b"mntr") -> bytes:
    """Return a profile of version 2."""
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">L", len(text)) + text + bytes(78)
    head = b"test\x02\x40\0\0" + kind + space + connection + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    head += bytes(28) + _fixed(0.9642, 1, 0.8249) + bytes(48)
    named = {"desc": described, "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(0.9642, 1, 0.8249)}
    return _assembled(head[:124], named | dict(tags))


def _assembled(head: bytes, tags: Mapping[str, bytes]) -> bytes:
    table, bodies, start = struct.pack(">L", len(tags)), b"", 132 + 12 * len(tags)
    for tag, body in tags.items():
        table += struct.pack(">4sLL", tag.encode(), start + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    return struct.pack(">L", 128 + len(table) + len(bodies)) + head + table + bodies
