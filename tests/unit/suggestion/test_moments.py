from services.suggestion.domain.geometry import Position
from services.suggestion.domain.moments import home, split, trips
from tests.unit.suggestion.photos import photo, series

DAY = 24 * 60
LYON = Position(45.76, 4.84)
NAPLES = Position(40.85, 14.27)


def test_three_hours_without_a_photo_begin_another_moment() -> None:
    moments = split([*series(3), *series(2, start=300, prefix="later")])
    assert [len(moment.photos) for moment in moments] == [3, 2]


def test_a_jump_in_place_begins_another_moment() -> None:
    moments = split([photo("a", 0, position=LYON), photo("b", 30, position=NAPLES)])
    assert len(moments) == 2


def test_photos_without_a_place_split_by_time_alone() -> None:
    assert len(split([photo("a", 0, position=LYON), photo("b", 30)])) == 1


def test_home_is_where_one_is_on_the_most_days() -> None:
    days = [photo(f"h{day}", day * DAY, position=LYON) for day in range(5)]
    away = [photo(f"a{index}", 6 * DAY + index, position=NAPLES) for index in range(30)]
    centre = home([*days, *away])
    assert centre is not None
    assert centre.distance_km(LYON) < 1


def test_one_day_does_not_make_a_home() -> None:
    assert home(series(20, position=LYON)) is None


def test_days_away_from_home_are_a_trip() -> None:
    at_home = [photo(f"h{day}", day * DAY, position=LYON) for day in range(5)]
    away = [photo(f"a{index}", (6 + index / 4) * DAY, position=NAPLES) for index in range(12)]
    (trip,) = trips([*at_home, *away])
    assert [shot.media for shot in trip.photos] == [shot.media for shot in away]


def test_an_afternoon_away_is_no_trip() -> None:
    at_home = [photo(f"h{day}", day * DAY, position=LYON) for day in range(5)]
    assert trips([*at_home, *series(12, start=6 * DAY, position=NAPLES)]) == []


def test_without_places_there_is_no_trip() -> None:
    assert trips(series(40, step=DAY / 4)) == []


def test_distance_is_the_great_circle() -> None:
    assert abs(LYON.distance_km(NAPLES) - 943) < 15
