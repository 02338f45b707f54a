"""Lists of analyses: which ones, in which order, and the place of each, from which the next page goes on."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.analysis.domain.findings import Analysis, Kind, SceneFindings
from services.analysis.domain.media import MediaState

Place: TypeAlias = tuple[int, float, str]
"""Of an analysis in a list; sorts as the list does."""

_DONE, _PENDING, _PARKED = range(3)


@dataclass(frozen=True)
class AnalysisFilter:
    """Which analyses are listed; what is not set does not narrow.

    Attributes:
        kinds: Only of these kinds.
        states: Only those that have come this far.
        tag: Only those that bear this tag.
        start: Only of media taken at this time or later.
        end: Only of media taken before this time.
    """

    kinds: frozenset[Kind] = frozenset()
    states: frozenset[MediaState] = frozenset()
    tag: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def admits(self, analysis: Analysis) -> bool:
        """Tell whether an analysis is listed."""
        return all(condition(analysis) for condition in self._conditions())

    def _conditions(self) -> Iterable[Callable[[Analysis], bool]]:
        if self.states:
            yield lambda analysis: analysis.state in self.states
        if self.kinds or self.tag or self.start or self.end:
            yield lambda analysis: analysis.scene is not None and self._shows(analysis.scene)

    def _shows(self, scene: SceneFindings) -> bool:
        fits_kind = not self.kinds or scene.kind in self.kinds
        fits_tag = not self.tag or any(tag.name == self.tag for tag in scene.tags)
        return fits_kind and fits_tag and self._holds(scene.metadata.capture_time)

    def _holds(self, time: datetime | None) -> bool:
        if time is None:
            return self.start is None and self.end is None
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)


def place_of(analysis: Analysis, *, newest_first: bool = False) -> Place:
    """Return the place of an analysis: by the time of capture, then what has none, what waits, and what is parked."""
    if analysis.scene is None:
        return _PARKED if analysis.state is MediaState.PARKED else _PENDING, 0.0, analysis.media.hex
    time = analysis.scene.metadata.capture_time
    if time is None:
        return _DONE, math.inf, analysis.media.hex
    return _DONE, -time.timestamp() if newest_first else time.timestamp(), analysis.media.hex
