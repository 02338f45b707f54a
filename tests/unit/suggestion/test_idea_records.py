from datetime import datetime

from services.suggestion.domain.idea_records import pack, unpack
from services.suggestion.domain.suggestions import Evidence, Idea, Kind, Signal


def test_an_idea_survives_being_packed() -> None:
    idea = Idea(
        kind=Kind.COLLAGE,
        anchor="moment:2026-11-14T15",
        media=("media/a", "media/b", "media/c"),
        score=0.7,
        start=datetime(2026, 11, 14, 15, 2),  # noqa: DTZ001 - a wall clock
        end=datetime(2026, 11, 14, 16, 40),  # noqa: DTZ001
        evidence=(Evidence(Signal.TIME, "98", 3, 1.0),),
    )
    assert unpack(pack(idea)) == idea
