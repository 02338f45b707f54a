"""Records where the sentences of the labels point, as the shipped text encoder has it.

    python -m inference.training.label_vectors

Run it when the encoder, the classes or the tags change; a test tells when the sentences and the vectors part.
"""

from pathlib import Path
from typing import Final

import numpy as np

from inference.model_build.build import built_model, default_home
from inference.model_build.sessions import ModelSession
from inference.vision import search
from inference.vision.words import word_pieces

FILE: Final = Path(search.__file__).with_name("label_vectors.npz")


def record() -> None:
    """Asks the built encoder for every label's sentence and keeps the answers in half precision."""
    model = built_model(default_home(), "text_encoder")
    session, pieces = ModelSession(model.path), word_pieces(search.label_sentences())
    rows = [
        session.run({"ids": ids[None], "mask": mask[None]}) for ids, mask in zip(pieces.ids, pieces.mask, strict=True)
    ]
    vectors = np.concatenate([row["embedding"] for row in rows]).astype(np.float16)
    np.savez_compressed(
        FILE, encoder=np.asarray(model.identity), sentences=np.asarray(search.label_sentences()), vectors=vectors
    )


if __name__ == "__main__":
    record()
