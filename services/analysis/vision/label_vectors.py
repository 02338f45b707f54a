"""Label vectors, by which pictures are found: the directions of their labels' sentences, as a text encoder says."""

import asyncio

from inference.vision.search import LabelVectors, label_sentences, picture_vector, shipped_label_vectors
from services.analysis.domain.findings import Meaning
from services.analysis.ports import Floats, Models


def meaning_of(logits: Floats, labels: LabelVectors | None, *, faces: int) -> Meaning | None:
    """Return what a picture shows, in the space of a text encoder; None without one.

    Args:
        logits: The scene classifier's answer, [1000].
        labels: Where the labels point; None without a text encoder.
        faces: How many were found.
    """
    return None if labels is None else Meaning(picture_vector(logits, labels, faces=faces), labels.encoder)


class LabelVectorSource:
    """Label vectors by encoder: of the one that is shipped from a file, of an operator's by asking it once."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._asked: LabelVectors | None = None
        self._asking = asyncio.Lock()

    async def for_encoder(self, encoder: str) -> LabelVectors | None:
        """Return where the labels point for an encoder; None if there is no encoder.

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
