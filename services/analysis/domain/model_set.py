"""Model set: the models that make which findings, by the names under which findings remember them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.keyring import Purpose

EXTRA_PURPOSES = (Purpose.LOCATION, Purpose.FACE_GROUPING)
"""Purposes for which more is learnt of a media than for the one that it is kept for."""
MEASURES: Final = "picture-2"
"""Identity of what `vision.stages` and `vision.quality` compute; a new one makes every picture be analysed again."""
POSITION: Final = "exif-1"
"""Identity of the reader of positions; a new one makes every place be read again."""
_SCENE: Final = (
    "face_detector",
    "scene_classifier",
    "sensitive_content",
    "text_detector",
    "text_encoder",
    "text_reader",
)
# Templates belong to faces by their order, which is the detector's doing, and there are none of what is sensitive.
_TEMPLATES: Final = ("face_detector", "face_embedder", "sensitive_content")


@dataclass(frozen=True)
class ModelSet:
    """Which models make the findings of each purpose; another set makes them due again.

    Attributes:
        scene: What makes that which is kept for the media's own purpose.
        position: What reads the place.
        templates: What makes face templates.
    """

    scene: str
    position: str
    templates: str

    def for_purpose(self, purpose: Purpose) -> str:
        """Return what makes the findings of a purpose."""
        extra = {Purpose.LOCATION: self.position, Purpose.FACE_GROUPING: self.templates}
        return extra.get(purpose, self.scene)


def model_set(identities: Mapping[str, str]) -> ModelSet:
    """Return the models of each purpose.

    Args:
        identities: Name of a model -> its identity, such as "face_detector-1".
    """
    return ModelSet(
        scene=",".join(sorted((*(identities[name] for name in _SCENE), MEASURES))),
        position=POSITION,
        templates=",".join(sorted(identities[name] for name in _TEMPLATES)),
    )


def scene_encoder(models: Iterable[str]) -> str:
    """Return which of these identities made the embedding of the scene; "" if none did."""
    return next((identity for identity in models if identity.startswith("scene_classifier-")), "")


def text_encoder(models: Iterable[str]) -> str:
    """Return which of these identities is the text encoder; "" if none is."""
    return next((identity for identity in models if identity.startswith("text_encoder-")), "")


def due_purposes(own: Purpose, made: Mapping[Purpose, str], models: ModelSet) -> frozenset[Purpose]:
    """Return the purposes for which a media has no findings of the present models."""
    return frozenset(purpose for purpose in (own, *EXTRA_PURPOSES) if made.get(purpose) != models.for_purpose(purpose))
