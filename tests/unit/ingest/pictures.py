"""Pictures made on the spot: whole ones of every type, and every way in which one can be broken."""

import io
import struct
import zlib
from datetime import datetime, timedelta
from functools import cache

import pillow_heif
from PIL import ExifTags, Image

BASE = ExifTags.Base


def exif_block(
    taken: str | None = None, offset: str | None = None, orientation: int | None = None, fraction: str | None = None
) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[BASE.Orientation] = orientation
    details = exif.get_ifd(ExifTags.IFD.Exif)
    if taken is not None:
        details[BASE.DateTimeOriginal] = taken
    if offset is not None:
        details[BASE.OffsetTimeOriginal] = offset
    if fraction is not None:
        details[BASE.SubsecTimeOriginal] = fraction
    return exif.tobytes()


def taken_at(time: datetime) -> bytes:
    """Return an EXIF block of an aware time, with its zone."""
    offset = time.utcoffset() or timedelta()
    hours, minutes = divmod(round(offset.total_seconds() / 60), 60)
    return exif_block(time.strftime("%Y:%m:%d %H:%M:%S"), f"{hours:+03d}:{minutes:02d}")


@cache
def image(width: int = 64, height: int = 48, seed: int = 1) -> Image.Image:
    noise = Image.effect_noise((width, height), 40 + seed)
    return Image.merge("RGB", (noise, noise.rotate(90 * seed % 360), noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


@cache
def picture(kind: str = "JPEG", width: int = 64, height: int = 48, *, seed: int = 1, exif: bytes = b"") -> bytes:
    """Return a file of a type by Pillow's name: JPEG, PNG, WEBP, HEIF or AVIF."""
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    options: dict[str, object] = {"exif": exif} if exif else {}
    if kind == "JPEG":
        options["quality"] = 90
    image(width, height, seed).save(buffer, kind, **options)
    return buffer.getvalue()


def progressive_jpeg(width: int = 64, height: int = 48) -> bytes:
    buffer = io.BytesIO()
    image(width, height).save(buffer, "JPEG", progressive=True, quality=90)
    return buffer.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@cache
def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a small PNG whose picture data unpack to a whole picture of that size: 2.7 GB for the default."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width * 3)
    body = b"".join(packer.compress(row) for _ in range(64)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def motion_photo(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG with a film behind its end, as phones write them."""
    return picture("JPEG", width, height) + b"\0\0\0\x18ftypmp42" + bytes(5000)


KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic", "AVIF": "image/avif"}
