"""Illustration of an idea: its pages, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Kind
from services.suggestion.drawing import layouts
from services.suggestion.drawing.pages import pages
from services.suggestion.drawing.rendering import Draw, Pictures, RenderedPage, focus_of


def illustrate(kind: Kind, photos: Sequence[Photo], pictures: Pictures, draw: Draw) -> list[RenderedPage]:
    """Return the pictures of an idea, the best layout first.

    Args:
        kind: kind of idea.
        photos: its photos, in their order.
        pictures: an upright RGB picture for each of them, by media.
        draw: how a page becomes a picture.
    """
    focus = {media: focus_of(picture) for media, picture in pictures.items()}
    found = pages(kind, photos, lambda photo: focus.get(photo.media, layouts.centre(photo)))
    return [draw(page, pictures) for page in found]
