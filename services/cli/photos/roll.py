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
from services.cli.photos.exif_position import put_position
from services.picture_files.blocks import Blocks
from services.picture_files.capture_time import Taken, capture_time
from services.picture_files.colours.rendering import render
from services.picture_files.embedded import EmbeddedReader, read_embedded
from services.picture_files.orientation import is_lying, orientation_of_opened
from services.picture_files.position import embedded_position

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
    taken: Taken | None
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
    """What a picture's header says: upright sides in pixels, media type."""

    width: int = 0
    height: int = 0
    content_type: str = ""


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
        digest, blocks = _read(path)
    except OSError as error:
        raise FileUnusable(f"it cannot be read ({error.strerror}); check its permissions") from error
    header = read_header(path)
    name = display_name(path, folder)
    return RollFile(
        path=path, name=name, sha256=digest, size=status.st_size,
        taken=capture_time(blocks, name, status.st_mtime, datetime.now(UTC)),
        width=header.width, height=header.height, content_type=header.content_type,
        screenshot=path.name.lower().startswith(("screenshot", "capture", "screen shot", "bildschirmfoto")),
    )  # fmt: skip


def read_header(path: Path) -> Header:
    """Return what a picture's header says, without decoding it; an empty one for what is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _header_of(image, path.read_bytes())
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


def _read(path: Path) -> tuple[bytes, Blocks]:
    """Return a file's digest, and what it says of itself."""
    digest, embedded = hashlib.sha256(), EmbeddedReader()
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
            embedded.feed(block)
    return digest.digest(), embedded.blocks


def _header_of(image: Image.Image, data: bytes) -> Header:
    width, height = image.size
    if is_lying(orientation_of_opened(image, data)):
        width, height = height, width
    return Header(width, height, _SNIFFED.get(image.format or "", ""))


def _reduced(image: Image.Image, data: bytes, long_side: int, *, with_position: bool) -> bytes:
    exif = image.getexif()
    # Whatever says it in the picture, EXIF says it in the copy.
    exif[ExifTags.Base.Orientation] = orientation_of_opened(image, data)
    reduced = render(image, data, long_side, Image.Resampling.LANCZOS)
    if not with_position and ExifTags.IFD.GPSInfo in exif:
        del exif[ExifTags.IFD.GPSInfo]
    if with_position:
        put_position(exif, embedded_position(read_embedded(data)))
    buffer = io.BytesIO()
    reduced.save(buffer, "JPEG", quality=REDUCED_QUALITY, exif=exif)
    return buffer.getvalue()
