"""Trial of restylers, of either kind: run as the server runs them."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import cv2
import numpy as np

from inference.restyling.diffusion.errors import RestylingError
from inference.restyling.diffusion.request import Picture, RestyleRequest
from inference.slots.candidate import Candidate
from inference.slots.evidence import CAT, picture
from inference.slots.trial import Refused
from inference.slots.violations import Violation

_SIDE: Final = 128
_LOW: Final = 0.1
_FAR: Final = 48.0
"""Mean difference, in levels of 0..255, that is no longer near the photo."""
_SAME: Final = 0.25
_FIELD: Final = "the restyled picture"


def stays_near_the_photo(candidate: Candidate) -> Iterator[Violation]:
    """At a low strength the photo is still there."""
    photo = _photo()
    distance = _difference(_restyled(candidate, strength=_LOW), photo)
    if distance > _FAR:
        found = f"a mean difference of {distance:.0f} levels from the photo at strength {_LOW}"
        remedy = "the photo and the answer are RGB in -1..1, and t is 0 at the picture and 1 at the noise"
        yield Violation(_FIELD, found, f"at most {_FAR:.0f}", remedy)


def is_drawn_by_its_seed(candidate: Candidate) -> Iterator[Violation]:
    """Check: the same seed gives the same picture, another seed another one."""
    one, again, other = (_restyled(candidate, strength=0.8, seed=seed) for seed in (7, 7, 8))
    if _difference(one, again) > 0:
        remedy = "nothing in the graph may be random; the noise comes from outside"
        yield Violation(_FIELD, "two pictures for one seed", "the same picture", remedy)
    if _difference(one, other) < _SAME:
        yield Violation(_FIELD, "the same picture for two seeds", "two pictures", "let the answer depend on the noise")


def follows_its_styles(candidate: Candidate) -> Iterator[Violation]:
    """Two styles are two pictures."""
    if len(candidate.styles) < 2:
        return
    first, last = (_restyled(candidate, strength=0.8, style=style) for style in (0, len(candidate.styles) - 1))
    if _difference(first, last) < _SAME:
        found = f"the same picture as {candidate.styles[0]!r} and as {candidate.styles[-1]!r}"
        yield Violation(_FIELD, found, "a picture for each style", "let the answer depend on the style")


def _restyled(candidate: Candidate, *, strength: float, style: int = 0, seed: int = 7) -> Picture:
    request = RestyleRequest(_photo(), style, 2, strength, seed)
    try:
        return candidate.restyler().restyle(request, lambda: False)
    except RestylingError as error:
        remedy = "look at the tensors' meanings, and for overflows in half precision"
        raise Refused(Violation(error.field, str(error), "a picture", remedy)) from error


@cache
def _photo() -> Picture:
    return np.asarray(cv2.resize(picture(CAT), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _difference(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(np.float64) - other).mean())
