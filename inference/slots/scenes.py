"""Trial of scene encoders: what an honest one does."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from inference.slots.candidate import Candidate
from inference.slots.evidence import CAT, HOPPER, RECEIPT, picture
from inference.slots.trial import cosine
from inference.slots.violations import Violation
from inference.vision.kinds import KINDS, Kind
from inference.vision.pictures import Picture, scene_input
from inference.vision.tags import album_tags

_ORDER: Final = ", ".join(KINDS)
_TOLERANCE: Final = 1e-3


def tells_what_is_shown(candidate: Candidate) -> Iterator[Violation]:
    """Check: a cat is a cat."""
    logits = candidate.only.run({"image": scene_input(picture(CAT))[None]})["logits"][0].astype(np.float32)
    tags = album_tags(logits)
    if not tags or tags[0].name != "cat":
        found = f"{tags[0].name!r} on top" if tags else f"class {int(logits.argmax())} on top, and nothing sure"
        remedy = "give the 1000 classes of ImageNet in their usual order, before softmax"
        yield Violation(f"output 'logits' ({CAT})", found, "'cat' on top", remedy)


def tells_the_kind(candidate: Candidate) -> Iterator[Violation]:
    """Check: a receipt is a receipt, photos are photos, and kinds are probabilities."""
    wanted = {CAT: Kind.PHOTO, HOPPER.file: Kind.PHOTO, RECEIPT: Kind.RECEIPT}
    squares = np.stack([scene_input(picture(file)) for file in wanted])
    answers = candidate.only.together({"image": squares})["kinds"].astype(np.float64)
    for (file, kind), answer in zip(wanted.items(), answers, strict=True):
        field = f"output 'kinds' ({file})"
        if answer.min() < -_TOLERANCE or abs(answer.sum() - 1) > _TOLERANCE:
            found = f"{np.round(answer, 3).tolist()}, which add up to {answer.sum():.3f}"
            yield Violation(field, found, "probabilities that add up to 1", "end with softmax")
        elif KINDS[int(answer.argmax())] is not kind:
            found, remedy = KINDS[int(answer.argmax())], f"the order is {_ORDER}; train the head on these four"
            yield Violation(field, repr(found.value), repr(kind.value), remedy)


def describes_alike_what_looks_alike(candidate: Candidate) -> Iterator[Violation]:
    """Check: a cat in weaker light is more like the cat than a receipt is."""
    cat = scene_input(picture(CAT))
    squares = np.stack([cat, _weaker(cat), scene_input(picture(RECEIPT))])
    first, weaker, other = candidate.only.run({"image": squares})["embedding"].astype(np.float64)
    near, far = cosine(first, weaker), cosine(first, other)
    if near <= far:
        found = f"cosine {near:.3f} to the same picture in weaker light, {far:.3f} to a receipt"
        remedy = "give the features that the classes are told from, not a constant and not random numbers"
        yield Violation("output 'embedding'", found, "the first one higher", remedy)


def _weaker(square: Picture) -> Picture:
    return np.clip(square.astype(np.float64) * 0.8 + 8, 0, 255).astype(np.uint8)
