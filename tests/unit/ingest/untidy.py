"""Pictures that are untidy, and that every viewer shows: made on the spot, of every type."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping

from PIL import Image

from tests.unit.ingest.pictures import exif_block, image, picture, png_chunk, progressive_jpeg

_SIGNATURE_AND_HEADER = 33
_TABLE = b"\xff\xdb"


def wrong_crc(kind: bytes, body: bytes) -> bytes:
    return png_chunk(kind, body)[:-4] + b"\0\1\2\3"


def png_with(*chunks: bytes, late: bytes = b"") -> bytes:
    """Return a PNG with further chunks before its picture data, and behind them."""
    data = picture("PNG", 160, 120)
    return data[:_SIGNATURE_AND_HEADER] + b"".join(chunks) + data[_SIGNATURE_AND_HEADER:-12] + late + data[-12:]


def apng(change: Callable[[bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    image(160, 120, 1).save(buffer, "PNG", save_all=True, append_images=[image(160, 120, 2), image(160, 120, 3)])
    return change(buffer.getvalue())


def apart(data: bytes) -> bytes:
    """Return a PNG whose picture data are in two chunks, with another between them."""
    length = int.from_bytes(data[33:37], "big")
    body = data[41 : 41 + length]
    halves = (png_chunk(b"IDAT", part) for part in (body[:100], body[100:]))
    return data[:33] + png_chunk(b"tEXt", b"Comment\0between").join(halves) + data[45 + length :]


def jpeg_with(junk: bytes) -> bytes:
    data = picture("JPEG", 160, 120)
    at = data.index(_TABLE)
    return data[:at] + junk + data[at:]


def longer_mdat(kind: str) -> bytes:
    data = picture(kind, 160, 120)
    at = data.index(b"mdat") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return data[:at] + struct.pack(">I", length + 5000) + data[at + 4 :]


def _second_sequence_number(data: bytes) -> bytes:
    """Return an animation with the number of its second part altered, and the checksum made right again."""
    at = data.index(b"fcTL", data.index(b"IDAT")) - 4
    return data[:at] + png_chunk(b"fcTL", struct.pack(">I", 77) + data[at + 12 : at + 34]) + data[at + 38 :]


def _no_frames(data: bytes) -> bytes:
    at = data.index(b"acTL") - 4
    return data[:at] + png_chunk(b"acTL", bytes(8)) + data[at + 20 :]


_MEGABYTES = zlib.compress(b"a workflow of two megabytes " * 80_000)
UNTIDY: Mapping[str, bytes] = {
    "jpeg without end marker": picture("JPEG", 160, 120)[:-2],
    "jpeg with half an end marker": picture("JPEG", 160, 120)[:-1],
    "progressive jpeg without end marker": progressive_jpeg(160, 120)[:-2],
    "jpeg with zeros for its end marker": picture("JPEG", 160, 120)[:-2] + bytes(300),
    "jpeg with bytes between segments": jpeg_with(b"junk"),
    "jpeg with stuffed zeros between segments": jpeg_with(b"\xff\0\xff\0\0"),
    "jpeg with fill bytes": jpeg_with(b"\xff" * 9),
    "png without end chunk": picture("PNG", 160, 120)[:-12],
    "png with half an end chunk": picture("PNG", 160, 120)[:-7],
    "png without the last checksum": picture("PNG", 160, 120)[:-16],
    "png with bytes behind its end": picture("PNG", 160, 120) + b"and more",
    "png with a long text": png_with(png_chunk(b"zTXt", b"prompt\0\0" + _MEGABYTES)),
    "png with a long plain text": png_with(png_chunk(b"tEXt", b"prompt\0" + b"x" * 3_000_000)),
    "png with a long text behind": png_with(late=png_chunk(b"iTXt", b"prompt\0\1\0\0\0" + _MEGABYTES)),
    "png with many texts": png_with(*[png_chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(900_000)))] * 90),
    "png with a long profile": png_with(png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(3_000_000)))),
    "png with a profile packed by another method": png_with(png_chunk(b"iCCP", b"p\0\x05" + zlib.compress(b"x"))),
    "png with an empty profile": png_with(png_chunk(b"iCCP", b"")),
    "png with a text packed by another method": png_with(png_chunk(b"zTXt", b"t\0\x07abc")),
    "png with a text that is not packed": png_with(png_chunk(b"zTXt", b"t\0\0abc")),
    "png with a text of a wrong checksum": png_with(wrong_crc(b"tEXt", b"Software\0x")),
    "png with a resolution of a wrong checksum": png_with(wrong_crc(b"pHYs", struct.pack(">IIB", 1, 1, 1))),
    "png with exif of a wrong checksum": png_with(late=wrong_crc(b"eXIf", exif_block("2026:02:03 04:05:06")[6:])),
    "png with an unknown chunk of a wrong checksum": png_with(wrong_crc(b"prVt", b"x")),
    "png with a short resolution": png_with(png_chunk(b"pHYs", b"\0\0")),
    "png with a short gamma": png_with(png_chunk(b"gAMA", b"\0")),
    "png with short chromaticities": png_with(png_chunk(b"cHRM", b"\0" * 7)),
    "png with an empty intent": png_with(png_chunk(b"sRGB", b"")),
    "png with a short transparency": png_with(png_chunk(b"tRNS", b"\0")),
    "png with picture data apart": apart(picture("PNG", 160, 120)),
    "animated png out of sequence": apng(_second_sequence_number),
    "animated png of no frames": apng(_no_frames),
    "webp cut in its exif": picture("WEBP", 160, 120, exif=exif_block("2026:02:03 04:05:06"))[:-9],
    "webp with bytes behind": picture("WEBP", 160, 120) + b"trailing",
    **{
        f"{kind} with {name} behind": picture(kind, 160, 120) + tail
        for kind in ("HEIF", "AVIF")
        for name, tail in {
            "text": b'/>\n</x:xmpmeta><?xpacket end="w"?>',
            "a byte": b"x",
            "zeros": bytes(5),
            "a box of no length": b"\0\0\0\4SEFT....",
            "a box that is cut short": b"\0\1\0\0sefd....",
        }.items()
    },
    "HEIF whose data say that they are longer": longer_mdat("HEIF"),
    "AVIF whose data say that they are longer": longer_mdat("AVIF"),
}


def plain(name: str) -> Image.Image:
    """Return the picture that an untidy one shows, decoded from its tidy twin."""
    kind = {"jpeg": "JPEG", "progressive": "JPEG", "png": "PNG", "animated": "PNG", "webp": "WEBP"}.get(name.split()[0])
    data = progressive_jpeg(160, 120) if name.startswith("progressive") else picture(kind or name.split()[0], 160, 120)
    return Image.open(io.BytesIO(data)).convert("RGB")
