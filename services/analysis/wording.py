"""What pictures are found by: where the sentences of their labels point, as the served text encoder says."""

import asyncio
from collections.abc import Iterable

from inference.vision.search import LabelVectors, label_sentences, picture_vector, shipped_label_vectors
from services.analysis.findings import Meaning
from services.analysis.ports import Floats, Models


def text_encoder(models: Iterable[str]) -> str:
    """Returns which of these identities is the text encoder; "" if none is."""
    return next((identity for identity in models if identity.startswith("text_encoder-")), "")


def meaning_of(logits: Floats, labels: LabelVectors | None, *, faces: int) -> Meaning | None:
    """Says what a picture shows; nothing where nobody can say so in words.

    Args:
        logits: The scene classifier's answer, [1000].
        labels: Where the labels point; None without a text encoder.
        faces: How many were found.
    """
    return None if labels is None else Meaning(picture_vector(logits, labels, faces=faces), labels.encoder)


class Wording:
    """Knows where the labels point: of the encoder that is shipped from a file, of an operator's by asking it once."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._asked: LabelVectors | None = None
        self._asking = asyncio.Lock()

    async def labels(self, encoder: str) -> LabelVectors | None:
        """Returns where the labels point for an encoder; None if there is no encoder.

        Args:
            encoder: Its identity.

        Raises:
            ModelFault: it is not the shipped one and does not answer.
        """
        if not encoder:
            return None
        shipped = shipped_label_vectors()
        if encoder == shipped.encoder:
            return shipped
        async with self._asking:
            if self._asked is None or self._asked.encoder != encoder:
                found = await self._models.describe(label_sentences())
                self._asked = LabelVectors(found.encoder, found.vectors)
            return self._asked
