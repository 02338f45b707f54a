"""Which analyses a list holds, and in which order."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.analysis.domain.findings import Analysis, Kind
from services.analysis.domain.listing import AnalysisFilter, place_of
from services.analysis.domain.media import MediaState
from tests.unit.analysis.examples import SCENE, TAKEN, analysis

LATER = replace(SCENE, metadata=replace(SCENE.metadata, capture_time=TAKEN + timedelta(hours=1)))
UNDATED = replace(SCENE, metadata=replace(SCENE.metadata, capture_time=None))
WAITING = replace(analysis(scene=None), state=MediaState.PENDING)
PARKED = replace(analysis(scene=None), state=MediaState.PARKED)


@pytest.mark.parametrize(
    ("wanted", "admitted"),
    [
        (AnalysisFilter(), True),
        (AnalysisFilter(kinds=frozenset({Kind.RECEIPT, Kind.PHOTO})), True),
        (AnalysisFilter(kinds=frozenset({Kind.PHOTO})), False),
        (AnalysisFilter(states=frozenset({MediaState.DONE})), True),
        (AnalysisFilter(states=frozenset({MediaState.PARKED})), False),
        (AnalysisFilter(tag="sea life"), True),
        (AnalysisFilter(tag="sea"), False),
        (AnalysisFilter(start=TAKEN, end=TAKEN + timedelta(seconds=1)), True),
        (AnalysisFilter(end=TAKEN), False),
        (AnalysisFilter(start=TAKEN + timedelta(seconds=1)), False),
        (AnalysisFilter(tag="cat", kinds=frozenset({Kind.PHOTO})), False),
    ],
)
def test_all_that_is_set_narrows(wanted: AnalysisFilter, admitted: bool) -> None:
    assert wanted.admits(analysis()) is admitted


@pytest.mark.parametrize("known", [WAITING, PARKED], ids=["waiting", "parked"])
def test_what_has_no_findings_fits_by_its_state_alone(known: Analysis) -> None:
    assert AnalysisFilter(states=frozenset({known.state})).admits(known)
    assert not AnalysisFilter(tag="cat").admits(known)
    assert not AnalysisFilter(start=TAKEN).admits(known)


def test_what_has_no_time_fits_no_span() -> None:
    assert not AnalysisFilter(end=TAKEN).admits(analysis(scene=UNDATED))


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_order_of_capture_turns_round_and_what_has_none_stays_last(newest_first: bool) -> None:
    first, second, undated = analysis(), analysis(scene=LATER), analysis(scene=UNDATED)
    taken = [second, first] if newest_first else [first, second]
    everything = sorted(
        [PARKED, WAITING, undated, second, first], key=lambda each: place_of(each, newest_first=newest_first)
    )
    assert everything == [*taken, undated, WAITING, PARKED]
