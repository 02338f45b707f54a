from services.suggestion.domain.best_shots import best_shots, collapse, quality
from services.suggestion.domain.geometry import Box
from tests.unit.suggestion.photos import photo, series


def test_of_near_duplicates_the_sharpest_stays() -> None:
    burst = [
        photo(name, sharpness=value, duplicate_group="media/a") for name, value in (("a", 0.4), ("b", 0.9), ("c", 0.6))
    ]
    assert [kept.media for kept in collapse(burst)] == ["media/b"]


def test_photos_without_duplicates_all_stay_in_the_order_of_capture() -> None:
    assert [kept.media for kept in collapse(reversed(series(3)))] == ["media/p0", "media/p1", "media/p2"]


def test_never_more_than_asked_for() -> None:
    assert len(best_shots(series(12), 5)) == 5


def test_a_second_photo_that_looks_the_same_is_left_out() -> None:
    same = (0.6, 0.8)
    shots = [
        photo("a", 0, embedding=same, sharpness=0.9),
        photo("b", 60, embedding=same),
        photo("c", 90, embedding=(0.8, -0.6)),
    ]
    assert [kept.media for kept in best_shots(shots, 3)] == ["media/a", "media/c"]


def test_relevance_outweighs_a_little_sharpness() -> None:
    shots = [
        photo("fits", sharpness=0.7, embedding=(1.0, 0.0)),
        photo("other", 5, sharpness=0.75, embedding=(0.0, 1.0)),
    ]
    assert best_shots(shots, 1, relevance={"media/fits": 1.0, "media/other": 0.3})[0].media == "media/fits"


def test_people_and_a_mark_of_the_owner_make_a_photo_better() -> None:
    plain = photo("a")
    assert quality(photo("a", faces=(Box(0.4, 0.2, 0.2, 0.3),))) > quality(plain)
    assert quality(photo("a", favorite=True)) > quality(plain)
