"""Trial of text encoders: what an honest one does."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.slots.candidate import Candidate
from inference.slots.trial import cosine
from inference.slots.violations import Violation

LENGTH: Final = 32
_OTHER_PIECE: Final = 2924
_UNIT_TOLERANCE: Final = 1e-3
_SAME: Final = 1e-3
_COMPANY: Final = 0.02  # weights of eight bits are scaled by the batch in some exports
_FIELD: Final = "output 'embedding'"
# Word pieces of BERT's lower-case vocabulary, without those that begin and end a sentence.
_SENTENCES: Final = (
    ("a dog on the beach", (1037, 3899, 2006, 1996, 3509)),
    ("a puppy by the sea", (1037, 17022, 2011, 1996, 2712)),
    ("a letter from the bank", (1037, 3661, 2013, 1996, 2924)),
)


def knows_what_is_meant(candidate: Candidate) -> Iterator[Violation]:
    """Check: what means nearly the same points nearly the same way, and every direction has the length 1."""
    dog, puppy, letter = candidate.only.together(_inputs(), tolerance=_COMPANY)["embedding"].astype(np.float64)
    lengths = [float(np.linalg.norm(each)) for each in (dog, puppy, letter)]
    if max(abs(length - 1) for length in lengths) > _UNIT_TOLERANCE:
        found = f"vectors as long as {', '.join(f'{length:.3f}' for length in lengths)}"
        yield Violation(_FIELD, found, "vectors of length 1", "divide by the Euclidean norm inside the graph")
    near, far = cosine(dog, puppy), max(cosine(dog, letter), cosine(puppy, letter))
    if near <= far:
        names = [repr(sentence) for sentence, _ in _SENTENCES]
        found = f"cosine {near:.3f} of {names[0]} and {names[1]}, {far:.3f} of one of them and {names[2]}"
        remedy = "the ids are those of BERT's lower-case vocabulary: encode with that, and average over the mask"
        yield Violation(_FIELD, found, "the first one higher", remedy)


def ignores_padding(candidate: Candidate) -> Iterator[Violation]:
    """Check: what stands behind the sentence does not matter."""
    inputs = _inputs()
    padded = {**inputs, "ids": np.where(inputs["mask"] == 0, _OTHER_PIECE, inputs["ids"])}
    plain, other = (candidate.only.run(each)["embedding"].astype(np.float64) for each in (inputs, padded))
    if np.abs(plain - other).max() > _SAME:
        found = f"numbers that differ by {np.abs(plain - other).max():.3g} with what stands behind the sentence"
        yield Violation(_FIELD, found, "the same numbers", "apply the mask to the attention and to the average")


def _inputs() -> dict[str, NDArray[np.int64]]:
    ids = np.zeros((len(_SENTENCES), LENGTH), np.int64)
    for row, (_, pieces) in zip(ids, _SENTENCES, strict=True):
        row[: len(pieces) + 2] = (101, *pieces, 102)
    return {"ids": ids, "mask": (ids > 0).astype(np.int64)}
