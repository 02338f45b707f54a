from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from deploy.samples.credits import catalogue
from deploy.samples.drawings import DRAWINGS
from deploy.samples.layout import WINDOW, Frame, lay_out, usable_until
from deploy.samples.notice import LINKS
from deploy.samples.recipe import recipe

WHEELS = {"scikit-image", "scikit-learn", "matplotlib"}


@pytest.fixture
def frames(now: datetime) -> list[Frame]:
    return lay_out(recipe(), now)


def test_about_sixty_pictures_each_under_a_name_of_its_own(frames: list[Frame]) -> None:
    assert 55 <= len(frames) <= 70
    assert len({frame.name for frame in frames}) == len(frames)
    assert len({frame.id for frame in frames}) == len(frames)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
        datetime(2027, 3, 1, 4, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
    ],
)
def test_all_but_the_older_ones_lie_in_the_window_and_none_in_the_future(moment: datetime) -> None:
    frames = lay_out(recipe(), moment)
    assert all(frame.taken < moment for frame in frames)
    outside = [frame for frame in frames if frame.taken <= moment - WINDOW]
    assert [frame.shot.event for frame in outside] == ["older"] * 3
    assert all(frame.shot.event != "older" for frame in frames if frame not in outside)
    assert usable_until(frames) >= moment + timedelta(days=3)


def test_layout_depends_on_the_date_alone(now: datetime) -> None:
    assert lay_out(recipe(), now) == lay_out(recipe(), now + timedelta(hours=5))


def test_every_source_has_an_author_and_a_free_licence() -> None:
    named = {shot.source for shot in recipe().shots if shot.source}
    named |= {shot.instead.source for shot in recipe().shots if shot.instead}
    assert named == set(catalogue())
    for credit in catalogue().values():
        assert credit.author
        assert credit.origin
        assert credit.licence == "public domain" or credit.licence in LINKS


def test_every_drawing_is_drawn_and_used() -> None:
    assert {shot.draw for shot in recipe().shots if shot.draw} == DRAWINGS


def test_every_shot_has_one_origin() -> None:
    assert all(bool(shot.source) != bool(shot.draw) for shot in recipe().shots)


def test_the_roll_holds_what_a_phone_holds(frames: list[Frame]) -> None:
    kinds = Counter(frame.shot.kind for frame in frames)
    assert kinds["receipt"] >= 4
    assert kinds["document"] >= 2
    assert kinds["screenshot"] >= 5
    assert len({frame.burst for frame in frames if frame.burst}) >= 3
    assert {frame.shot.orientation for frame in frames} >= {1, 3, 6}
    formats = Counter(frame.format for frame in frames)
    assert (formats["heic"], formats["webp"]) == (2, 1)
    assert sum(frame.blurred for frame in frames) >= 3
    assert sum(frame.look.exposure < -3 for frame in frames) >= 1
    assert max(frame.look.long_side for frame in frames) == 4000
    assert len(recipe().copies) == 2


def test_the_trip_is_far_from_home_and_lasts_five_days(frames: list[Frame]) -> None:
    trip = [frame for frame in frames if frame.shot.event == "trip"]
    assert len({frame.taken.date() for frame in trip}) == 5
    longitudes = [frame.position[1] for frame in trip if frame.position]
    assert len(longitudes) == len(trip)
    assert min(longitudes) > -5


def test_the_wheels_alone_still_make_every_event(frames: list[Frame]) -> None:
    at_hand = {name for name, credit in catalogue().items() if credit.package in WHEELS}
    left = [
        frame
        for frame in frames
        if frame.shot.draw or frame.source in at_hand or (frame.instead and frame.instead[0] in at_hand)
    ]
    assert {frame.shot.event for frame in left} >= {"trip", "celebration", "pets", "papers", "screens", "older"}
    assert len(left) >= 40
