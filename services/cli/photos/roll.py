"""Phone's side of an import: what is in a folder, and reduced copies of it. Nothing here talks to a service."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pillow_heif
from PIL import ExifTags, Image

from services.cli.escaping import printable
from services.picture_files.colours.rendering import render
from services.picture_files.exif import exif_of

MAX_DECODED_PIXELS = 100_000_000
REDUCED_QUALITY = 90
_READ = 1 << 20
_SNIFFED = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}


class FileUnusable(Exception):
    """A file of the folder cannot be read at all."""


class NotDecodable(Exception):
    """No reduced copy can be made of a picture; the service will say more exactly what is wrong."""


@dataclass(frozen=True)
class RollFile:
    """A file of the folder, described as a phone would: sides in upright pixels, 0 when they are not known."""

    path: Path
    name: str
    sha256: bytes
    size: int
    capture_time: datetime
    width: int
    height: int
    content_type: str
    screenshot: bool

    @property
    def client_id(self) -> str:
        """What the plan calls the file: two files with the same name in different folders differ."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:32]


@dataclass(frozen=True)
class Header:
    """What a picture's header says: upright sides in pixels, media type, time of capture if it has one."""

    width: int = 0
    height: int = 0
    content_type: str = ""
    capture_time: datetime | None = None


def register_formats() -> None:
    """Teach Pillow HEIC; once per process."""
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = MAX_DECODED_PIXELS


def walk(folder: Path) -> Iterator[Path]:
    """Yield everything in the folder that is not a folder, in the order of the names; links are not followed."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))
        else:
            yield Path(entry.path)


def display_name(path: Path, folder: Path) -> str:
    """Return the name of a file as imported: its path below the folder, with `/`, in valid UTF-8."""
    return printable(path.relative_to(folder).as_posix())


def describe(path: Path, folder: Path) -> RollFile:
    """Read a file once and describe it.

    Raises:
        FileUnusable: it is no regular file or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileUnusable("it is no regular file; import a file")
        digest = _sha256(path)
    except OSError as error:
        raise FileUnusable(f"it cannot be read ({error.strerror}); check its permissions") from error
    header = read_header(path)
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    name = display_name(path, folder)
    return RollFile(
        path=path, name=name, sha256=digest, size=status.st_size, capture_time=header.capture_time or modified,
        width=header.width, height=header.height, content_type=header.content_type,
        screenshot=path.name.lower().startswith(("screenshot", "capture", "screen shot", "bildschirmfoto")),
    )  # fmt: skip


def read_header(path: Path) -> Header:
    """Return what a picture's header says, without decoding it; an empty one for what is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _header_of(image)
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        ArithmeticError,
        LookupError,
    ):
        return Header()


def reduce(path: Path, long_side: int, *, with_position: bool) -> bytes:
    """Return a reduced JPEG of a picture, opaque and in sRGB.

    Its EXIF stays, but the position goes along only if that is consented to.

    Args:
        path: a picture of any supported format.
        long_side: longest side of the copy in pixels.
        with_position: whether the GPS block may go along.

    Raises:
        NotDecodable: the picture is broken or too large to decode.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = path.read_bytes()
            with Image.open(io.BytesIO(data)) as image:
                return _reduced(image, data, long_side, with_position=with_position)
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        ArithmeticError,
        LookupError,
    ) as error:
        raise NotDecodable(str(error)) from error


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
    return digest.digest()


def _header_of(image: Image.Image) -> Header:
    exif = exif_of(image.getexif())
    width, height = image.size
    # HEIC is turned upright by its own transform when it is opened.
    if exif.is_lying and image.format != "HEIF":
        width, height = height, width
    return Header(width, height, _SNIFFED.get(image.format or "", ""), _with_zone(exif.taken))


def _with_zone(taken: datetime | None) -> datetime | None:
    """Return a capture time with its zone; UTC when the camera did not say it, as the service assumes."""
    return taken.replace(tzinfo=UTC) if taken is not None and taken.tzinfo is None else taken


def _reduced(image: Image.Image, data: bytes, long_side: int, *, with_position: bool) -> bytes:
    exif = image.getexif()
    reduced = render(image, data, long_side, Image.Resampling.LANCZOS)
    if not with_position and ExifTags.IFD.GPSInfo in exif:
        del exif[ExifTags.IFD.GPSInfo]
    buffer = io.BytesIO()
    reduced.save(buffer, "JPEG", quality=REDUCED_QUALITY, exif=exif)
    return buffer.getvalue()
