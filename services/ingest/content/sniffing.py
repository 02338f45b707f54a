"""Content sniffing: the type of a file, from its first bytes and nothing else."""

from services.ingest.domain.media import MediaType

HEAD_BYTES = 64
"""Bytes that suffice to tell; fewer if the file is shorter."""

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_OTHERS = (
    (b"GIF8", "gif"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"ID3", "mp3"),
    (b"\x7fELF", "program"),
    (b"RIFF", "riff"),
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def sniff(head: bytes) -> MediaType | None:
    """Return the type of a file that begins with `head`; None for what is not taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    return None


def describe(head: bytes) -> str:
    """Return a word for what a file seems to be that is not taken."""
    if head[4:8] == b"ftyp":
        return "video"
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return name
    return "text" if _is_text(head) else "unknown"


def _by_brands(head: bytes) -> MediaType | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, size - 3, 4))]
    # The general image brand says neither codec: an AVIF brand beside it does.
    if not _AVIF_BRANDS.isdisjoint(brands):
        return MediaType.AVIF
    return MediaType.HEIC if not _HEIC_BRANDS.isdisjoint(brands) else None


def _is_text(head: bytes) -> bool:
    return bool(head) and all(byte in _TEXT_CONTROLS or byte >= 32 for byte in head) and 127 not in head
