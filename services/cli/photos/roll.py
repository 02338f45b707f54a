"""Phone's side of an import: what is in a folder, and reduced copies of it. Nothing here talks to a service."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pillow_heif
from PIL import ExifTags, Image

from services.cli.escaping import printable
from services.cli.photos.exif_copy import exif_copy
from services.cli.photos.exif_position import put_position
from services.picture_files.blocks import Blocks
from services.picture_files.capture_time import Taken, capture_time
from services.picture_files.colours.rendering import render
from services.picture_files.embedded import EmbeddedReader, read_embedded
from services.picture_files.openable import lacks_rows, openable
from services.picture_files.orientation import is_lying, orientation_of_opened
from services.picture_files.position import embedded_position
from services.picture_files.screenshots import is_screenshot, is_screenshot_name

MAX_DECODED_PIXELS = 220_000_000
"""Of a picture that a reduced copy is made of: the sensors of phones have up to 200 million."""
REDUCED_QUALITY = 90
_MANY_PIXELS = 50_000_000
_LARGE_TURN = threading.Lock()
"""So large a picture needs a gigabyte while it is reduced: one has its turn at a time."""
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
    """What a picture's header says: upright sides in pixels, media type, whether it is a screenshot."""

    width: int = 0
    height: int = 0
    content_type: str = ""
    screenshot: bool = False


def register_formats() -> None:
    """Teach Pillow HEIC; once per process. How many pixels are decoded is checked here, and not by Pillow."""
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None


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
        screenshot=header.screenshot,
    )  # fmt: skip


def read_header(path: Path) -> Header:
    """Return what a picture's header says, without decoding it; an empty one for what is no picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for repair in (_as_stored, openable):
            try:
                data = repair(path.read_bytes())
                with Image.open(io.BytesIO(data)) as image:
                    return _header_of(image, data, path.name)
            except Exception:  # noqa: BLE001, S112  # readers of hostile files raise of every kind
                continue
    return Header(screenshot=is_screenshot_name(path.name))


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
            return _reduced(path.read_bytes(), long_side, with_position=with_position)
    except NotDecodable:
        raise
    except Exception as error:  # readers and writers raise of every kind on hostile files
        raise NotDecodable(str(error)) from error


def _read(path: Path) -> tuple[bytes, Blocks]:
    """Return a file's digest, and what it says of itself."""
    digest, embedded = hashlib.sha256(), EmbeddedReader()
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
            embedded.feed(block)
    return digest.digest(), embedded.blocks


def _as_stored(data: bytes) -> bytes:
    return data


def _header_of(image: Image.Image, data: bytes, name: str) -> Header:
    width, height = image.size
    content_type = _SNIFFED.get(image.format or "", "")
    if width * height > MAX_DECODED_PIXELS:
        # What a PNG says of itself may stand behind its pixels, which then are decoded.
        return Header(width, height, content_type, is_screenshot_name(name))
    if is_lying(orientation_of_opened(image, data)):
        width, height = height, width
    return Header(width, height, content_type, is_screenshot(name, image.getexif()))


def _reduced(stored: bytes, long_side: int, *, with_position: bool) -> bytes:
    data = openable(stored)
    with Image.open(io.BytesIO(data)) as image:
        pixels = image.width * image.height
        if pixels > MAX_DECODED_PIXELS:
            raise NotDecodable(f"it has {image.width} x {image.height} pixels")
        with _LARGE_TURN if pixels > _MANY_PIXELS else nullcontext():
            if lacks_rows(stored, data):
                raise NotDecodable("it was cut short")
            exif = image.getexif()
            # Whatever says it in the picture, EXIF says it in the copy.
            exif[ExifTags.Base.Orientation] = orientation_of_opened(image, data)
            if with_position:
                put_position(exif, embedded_position(read_embedded(data)))
            written = exif_copy(exif, with_position=with_position)
            reduced = render(image, data, long_side, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    reduced.save(buffer, "JPEG", quality=REDUCED_QUALITY, exif=written)
    return buffer.getvalue()
