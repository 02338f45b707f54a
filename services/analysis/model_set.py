"""Which models make which findings, by the names under which findings remember them."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.analysis.domain import ModelSet
from services.analysis.seeing import MEASURES

POSITION: Final = "exif-1"
"""Identity of the reader of positions; a new one makes every place be read again."""


_SEEN: Final = (
    "face_detector",
    "scene_classifier",
    "sensitive_content",
    "text_detector",
    "text_encoder",
    "text_reader",
)
# Templates belong to faces by their order, which is the detector's doing, and there are none of what is sensitive.
_TEMPLATES: Final = ("face_detector", "face_embedder", "sensitive_content")


def model_set(identities: Mapping[str, str]) -> ModelSet:
    """Returns the models of each purpose.

    Args:
        identities: Name of a model -> its identity, such as "face_detector-1".
    """
    return ModelSet(
        seen=",".join(sorted((*(identities[name] for name in _SEEN), MEASURES))),
        position=POSITION,
        templates=",".join(sorted(identities[name] for name in _TEMPLATES)),
    )


def scene_encoder(models: Iterable[str]) -> str:
    """Returns which of these identities made the embedding of the scene; "" if none did."""
    return next((identity for identity in models if identity.startswith("scene_classifier-")), "")
