"""Check at the door: what a file is, how large it is and that it is whole, while its bytes pass."""

from services.ingest.content.isobmff import walk_isobmff
from services.ingest.content.jpeg import walk_jpeg
from services.ingest.content.picture import Picture
from services.ingest.content.png import walk_png
from services.ingest.content.sniffing import HEAD_BYTES, describe, sniff
from services.ingest.content.webp import walk_webp
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.ingest.errors import MediaCorrupt, MediaEmpty, MediaTypeUnsupported
from services.picture_files.walking import Malformed, Walk, Walker

_END_MARKS = {
    MediaType.JPEG: "it ends before its picture data",
    MediaType.PNG: "it ends before its picture data",
    MediaType.WEBP: "it ends within a chunk",
    MediaType.HEIC: "it ends within a box",
    MediaType.AVIF: "it ends within a box",
}


class ContentCheck:
    """Checks one file. Every method raises `ContentRefused` as soon as it knows."""

    def __init__(self, limits: Limits, file_bytes: int) -> None:
        """Begins.

        Args:
            limits: How large a picture may be.
            file_bytes: Announced length of the file.
        """
        self._limits = limits
        self._file_bytes = file_bytes
        self._head = b""
        self._type: MediaType | None = None
        self._walker: Walker[Picture] | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._walker is None:
            data = self._head = self._head + data
            if len(data) < min(HEAD_BYTES, self._file_bytes):
                return
            self._begin()
        if self._walker is not None:
            try:
                self._walker.feed(data)
            except Malformed as error:
                raise MediaCorrupt.of(str(error)) from None

    def finish(self) -> Picture:
        """Says what the file is, now that all of it passed."""
        if not self._file_bytes:
            raise MediaEmpty.of()
        picture = self._end()
        if picture is None:
            problem = "it ends too early" if self._type is None else _END_MARKS[self._type]
            raise MediaCorrupt.of(f"{problem}: the file was cut short")
        return picture

    def _end(self) -> Picture | None:
        if self._walker is None:
            return None
        try:
            self._walker.finish()
        except Malformed as error:
            raise MediaCorrupt.of(str(error)) from None
        return self._walker.result

    def _begin(self) -> None:
        self._type = sniff(self._head)
        if self._type is None:
            raise MediaTypeUnsupported.of(describe(self._head))
        self._walker = Walker(self._walk(self._type))
        self._head = b""

    def _walk(self, media_type: MediaType) -> Walk[Picture]:
        match media_type:
            case MediaType.JPEG:
                return walk_jpeg(self._limits)
            case MediaType.PNG:
                return walk_png(self._limits)
            case MediaType.WEBP:
                return walk_webp(self._limits, self._file_bytes)
            case MediaType.HEIC | MediaType.AVIF:
                return walk_isobmff(media_type, self._limits, self._file_bytes)
