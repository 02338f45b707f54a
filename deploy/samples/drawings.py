"""Pictures that no package has: drawn, each under the name that the recipe calls it."""

from functools import lru_cache
from typing import Final

from deploy.samples import party
from deploy.samples.layout import Frame, seeded
from deploy.samples.papers import RECEIPTS, letter, receipt, timetable
from deploy.samples.screens import SCREENS, screenshot
from deploy.samples.sources import Library, Pixels
from deploy.samples.table_top import LAID, photograph

_PARTY: Final = {"cake": party.cake, "balloons": party.balloons}
_DOCUMENTS: Final = {"letter": letter, "timetable": timetable}
DRAWINGS: Final = frozenset({*_PARTY, *_DOCUMENTS, *RECEIPTS, *SCREENS})


def drawn(frame: Frame, library: Library) -> Pixels:
    """Draws what a frame shows: UINT8 RGB [height, width, 3], upright."""
    name = frame.shot.draw
    if name in SCREENS:
        return screenshot(name, frame.taken, seeded("draw", name), library)
    if name in _PARTY:
        return _party(name)
    rng = seeded("draw", name)
    sheet = receipt(name, rng) if name in RECEIPTS else _DOCUMENTS[name]()
    return photograph(sheet, LAID[name], rng)


# A burst shows one drawing several times.
@lru_cache(maxsize=len(_PARTY))
def _party(name: str) -> Pixels:
    return _PARTY[name](seeded("draw", name))
