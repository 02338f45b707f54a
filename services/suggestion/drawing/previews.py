"""Previews of one person's photos, decoded."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Sequence

import structlog
from PIL import Image

from services.suggestion.ports import Analysis

CACHED_PICTURES = 24

_log = structlog.stdlib.get_logger()


class Previews:
    """Decoded previews of one person for one refresh: the last few, since ideas share photos."""

    def __init__(self, analysis: Analysis, subject: str) -> None:
        self._analysis = analysis
        self._subject = subject
        self._decoded: OrderedDict[str, Image.Image] = OrderedDict()

    async def load(self, media: Sequence[str]) -> dict[str, Image.Image]:
        """Return the pictures that are there, by media."""
        pictures = {}
        for name in media:
            picture = await self._one(name)
            if picture is not None:
                pictures[name] = picture
        return pictures

    async def _one(self, name: str) -> Image.Image | None:
        if name not in self._decoded:
            content = await self._analysis.picture(self._subject, name)
            if content is None:
                return None
            try:
                self._decoded[name] = await asyncio.to_thread(_decode, content)
            except OSError as error:
                _log.warning("preview_broken", media=name, exc_info=error)
                return None
        self._decoded.move_to_end(name)
        while len(self._decoded) > CACHED_PICTURES:
            self._decoded.popitem(last=False)
        return self._decoded[name]


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")
