"""Pictures with metadata of every kind in every format, made on the spot."""

import io
import struct
import zlib

import pillow_heif
from PIL import Image

from services.picture_files import iptc, xmp
from tests.unit.ingest.pictures import picture, png_chunk

_NAMESPACES = (
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
)


def xmp_packet(attributes: str) -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {_NAMESPACES} {attributes}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def iptc_block(**records: str) -> bytes:
    """Return image resources with IPTC records by number, such as `_55="20261121"`."""
    iim = b"".join(
        b"\x1c\x02" + bytes([int(number[1:])]) + struct.pack(">H", len(text)) + text.encode()
        for number, text in records.items()
    )
    other = b"8BIM\x03\xed\x03odd" + struct.pack(">L", 3) + b"abc\0"
    return other + b"8BIM\x04\x04\0\0" + struct.pack(">L", len(iim)) + iim


def gps_block(tags: dict[int, object]) -> bytes:
    """Return an EXIF block with a GPS directory alone: text, bytes (UNDEFINED), and numbers (rational)."""
    values = {tag: _typed(value) for tag, value in tags.items()}
    start = 26 + 2 + 12 * len(values) + 4
    entries = data = b""
    for tag, (kind, count, body) in sorted(values.items()):
        place = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack(">L", start + len(data))
        data += body if len(body) > 4 else b""
        entries += struct.pack(">HHL", tag, kind, count) + place
    pointer = struct.pack(">HHHLLL", 1, 0x8825, 4, 1, 26, 0)
    return b"MM\0*\0\0\0\x08" + pointer + struct.pack(">H", len(values)) + entries + bytes(4) + data


def _typed(value: object) -> tuple[int, int, bytes]:
    if isinstance(value, str):
        return 2, len(value) + 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return 7, len(value), value
    numbers = value if isinstance(value, tuple) else (value,)
    return 5, len(numbers), b"".join(struct.pack(">LL", round(number * 1_000_000), 1_000_000) for number in numbers)


def segment(code: int, body: bytes) -> bytes:
    return b"\xff" + bytes([code]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(exif: bytes = b"", xmp: bytes = b"", iptc: bytes = b"") -> bytes:
    data = picture("JPEG")
    segments = [segment(0xE1, b"Exif\0\0" + exif.removeprefix(b"Exif\0\0"))] if exif else []
    segments += [segment(0xE1, _XMP_PREFIX + xmp)] if xmp else []
    # In two segments, as resources that fit no single one are.
    segments += [segment(0xED, _IPTC_PREFIX + part) for part in (iptc[:9], iptc[9:])] if iptc else []
    return data[:2] + b"".join(segments) + data[2:]


def png_with(*chunks: tuple[bytes, bytes], late: bool = False) -> bytes:
    data, made = picture("PNG"), b"".join(png_chunk(kind, body) for kind, body in chunks)
    place = len(data) - 12 if late else 33
    return data[:place] + made + data[place:]


def raw_profile(kind: str, block: bytes) -> bytes:
    """Return the body of a zTXt chunk as ImageMagick writes it."""
    text = block.hex()
    lines = "\n".join(text[start : start + 72] for start in range(0, len(text), 72))
    raw = f"\n{kind}\n{len(block):8}\n{lines}\n"
    return f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(raw.encode())


def heif_with(kind: str = "HEIF", exif: bytes = b"", xmp: bytes = b"") -> bytes:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture("JPEG"))) as image:
        image.save(buffer, kind, **({"exif": exif} if exif else {}), **({"xmp": xmp} if xmp else {}))
    return buffer.getvalue()


def webp_with(exif: bytes = b"", xmp: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture("JPEG"))) as image:
        image.save(buffer, "WEBP", exif=exif, xmp=xmp)
    return buffer.getvalue()


def meta_last(data: bytes, padding: int = 0) -> bytes:
    """Return a HEIC or AVIF with its `meta` box behind the picture data, as some cameras write it.

    Args:
        data: The file.
        padding: Bytes before the picture data.
    """
    parts, place = {}, 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        parts[data[place + 4 : place + 8]] = data[place : place + size]
        place += size
    meta, by = bytearray(parts[b"meta"]), padding - len(parts[b"meta"])
    start = meta.index(b"iloc") + 4
    version, sizes, bases = meta[start], meta[start + 4], meta[start + 5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, bases >> 4
    place = start + 8
    for _ in range(int.from_bytes(meta[start + 6 : start + 8], "big")):
        place += 4 + (2 if version else 0)
        based = base_size and any(meta[place : place + base_size])
        if based:
            _move(meta, place, base_size, by)
        place += base_size
        count = int.from_bytes(meta[place : place + 2], "big")
        place += 2
        for _ in range(count):
            if not based:
                _move(meta, place, offset_size, by)
            place += offset_size + length_size
    body = bytes(padding) + parts[b"mdat"][8:]
    return parts[b"ftyp"] + struct.pack(">L", 8 + len(body)) + b"mdat" + body + bytes(meta)


def _move(meta: bytearray, place: int, size: int, by: int) -> None:
    moved = int.from_bytes(meta[place : place + size], "big") + by
    meta[place : place + size] = moved.to_bytes(size, "big")


_XMP_PREFIX, _IPTC_PREFIX = xmp.JPEG_PREFIX, iptc.JPEG_PREFIX
