"""Pictures that lie as cameras store them, and every way in which a file says how they are to be turned."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.unit.ingest.pictures import exif_block, png_chunk
from tests.unit.picture_files.colour_files import encoded, with_chunks

UPRIGHT = 1
ORIENTATION, _RESOLUTION_UNIT = 0x0112, 0x0128
SIZE = (96, 64)
CORNERS = ((220, 30, 30), (30, 180, 30), (30, 30, 220), (230, 220, 30))
"""Of the upright picture: upper left, upper right, lower left, lower right."""
_LAYS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright(size: tuple[int, int] = SIZE) -> Image.Image:
    quarters = np.array(CORNERS, np.uint8).reshape(2, 2, 3)
    return Image.fromarray(quarters).resize(size, Image.Resampling.NEAREST)


def stored(orientation: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return the pixels that an orientation turns upright."""
    lay = _LAYS.get(orientation)
    return upright(size) if lay is None else upright(size).transpose(lay)


def xmp(orientation: int, *, as_element: bool = False) -> bytes:
    stated = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if as_element else ""
    attribute = "" if as_element else f' tiff:Orientation="{orientation}"'
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{stated}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def exif(orientation: int) -> bytes:
    return exif_block(orientation=orientation)


def jpeg(image: Image.Image, *blocks: bytes) -> bytes:
    """Return a JPEG with APP1 segments."""
    data = encoded(image, "JPEG")
    segments = (b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block for block in blocks)
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_xmp(packet: bytes) -> bytes:
    return b"http://ns.adobe.com/xap/1.0/\0" + packet


def raw_profile(name: str, body: bytes, *, packed: bool = True) -> tuple[bytes, bytes]:
    """Return a chunk as ImageMagick writes it."""
    digits = body.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    text = f"\n{name}\n{len(body):8}\n{lines}\n".encode()
    keyword = f"Raw profile type {name}".encode()
    return (b"zTXt", keyword + b"\0\0" + zlib.compress(text)) if packed else (b"tEXt", keyword + b"\0" + text)


def png_xmp(packet: bytes, *, packed: bool = False) -> tuple[bytes, bytes]:
    body = zlib.compress(packet) if packed else packet
    return b"iTXt", b"XML:com.adobe.xmp\0" + bytes([packed, 0]) + b"\0\0" + body


def png(image: Image.Image, *chunks: tuple[bytes, bytes], late: tuple[bytes, bytes] | None = None) -> bytes:
    data = with_chunks(encoded(image, "PNG"), *chunks)
    return data if late is None else data[:-12] + png_chunk(*late) + data[-12:]


def webp(image: Image.Image, **blocks: bytes) -> bytes:
    return encoded(image, "WEBP", **blocks)


def boxed(kind: str, orientation: int, *, other: int = UPRIGHT) -> bytes:
    """Return a HEIC or AVIF that turns by its own properties, while its EXIF and XMP say another orientation."""
    block = Image.Exif()
    block[ORIENTATION], block[_RESOLUTION_UNIT] = orientation, 2
    data = encoded(stored(orientation), kind, exif=block.tobytes(), xmp=xmp(UPRIGHT))
    data = data.replace(b'tiff:Orientation="1"', f'tiff:Orientation="{other}"'.encode())
    order = "<" if b"II*\0" in data else ">"
    # Encoders make turns of the orientation and drop it; another tag of its type takes its place.
    tags = (struct.pack(f"{order}HHL", tag, 3, 1) for tag in (ORIENTATION, _RESOLUTION_UNIT))
    at = next(data.index(tag) for tag in tags if tag in data)
    return data[:at] + struct.pack(f"{order}HHLH", ORIENTATION, 3, 1, other) + data[at + 10 :]


def typed_exif(kind: int, count: int, value: bytes) -> bytes:
    """Return an EXIF block whose orientation has a type, a count and up to 4 bytes, big-endian."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHL4s", ORIENTATION, kind, count, value) + bytes(4)


SAID: dict[str, Callable[[int], bytes]] = {
    "JPEG EXIF": lambda o: jpeg(stored(o), exif(o)),
    "JPEG XMP": lambda o: jpeg(stored(o), jpeg_xmp(xmp(o))),
    "JPEG XMP element": lambda o: jpeg(stored(o), jpeg_xmp(xmp(o, as_element=True))),
    "JPEG EXIF without it, XMP": lambda o: jpeg(stored(o), exif_block("2026:02:03 04:05:06"), jpeg_xmp(xmp(o))),
    "JPEG EXIF that cannot be, XMP": lambda o: jpeg(stored(o), exif(9), jpeg_xmp(xmp(o))),
    "JPEG EXIF before XMP": lambda o: jpeg(stored(o), jpeg_xmp(xmp(9 - o)), exif(o)),
    "PNG eXIf": lambda o: png(stored(o), (b"eXIf", exif(o)[6:])),
    "PNG eXIf behind the data": lambda o: png(stored(o), late=(b"eXIf", exif(o)[6:])),
    "PNG raw profile exif": lambda o: png(stored(o), raw_profile("exif", exif(o))),
    "PNG raw profile APP1": lambda o: png(stored(o), raw_profile("APP1", exif(o), packed=False)),
    "PNG raw profile behind the data": lambda o: png(stored(o), late=raw_profile("exif", exif(o))),
    "PNG eXIf before a raw profile": lambda o: png(stored(o), raw_profile("exif", exif(9 - o)), (b"eXIf", exif(o)[6:])),
    "PNG XMP": lambda o: png(stored(o), png_xmp(xmp(o))),
    "PNG XMP packed": lambda o: png(stored(o), png_xmp(xmp(o), packed=True)),
    "PNG raw profile xmp": lambda o: png(stored(o), raw_profile("xmp", xmp(o))),
    "WebP EXIF": lambda o: webp(stored(o), exif=exif(o)),
    "WebP XMP": lambda o: webp(stored(o), xmp=xmp(o)),
    "WebP EXIF before XMP": lambda o: webp(stored(o), exif=exif(o), xmp=xmp(9 - o)),
    "HEIC": lambda o: boxed("HEIF", o),
    "HEIC with another EXIF and XMP": lambda o: boxed("HEIF", o, other=9 - o),
    "AVIF": lambda o: boxed("AVIF", o),
    "AVIF with another EXIF and XMP": lambda o: boxed("AVIF", o, other=9 - o),
}
