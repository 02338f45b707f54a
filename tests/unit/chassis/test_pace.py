from services.chassis.limits.pace import Pace


def test_a_burst_is_free_and_what_follows_comes_at_the_pace() -> None:
    pace = Pace(per_second=10, burst_seconds=1)
    assert [round(pace.charge(1, now=0), 6) for _ in range(13)] == [0] * 11 + [0.1, 0.2]


def test_what_was_spent_comes_back_with_time() -> None:
    pace = Pace(per_second=10, burst_seconds=1)
    for _ in range(10):
        pace.charge(1, now=0)
    assert not pace.is_rested(now=0.5)
    assert pace.is_rested(now=1.0)
    assert pace.charge(10, now=1.0) == 0


def test_rest_is_not_saved_up_beyond_the_burst() -> None:
    pace = Pace(per_second=10, burst_seconds=1)
    pace.charge(20, now=1000)
    assert pace.delay(now=1000) == 1


def test_a_step_that_is_given_up_stays_charged() -> None:
    pace = Pace(per_second=1, burst_seconds=0)
    assert [pace.charge(1, now=0), pace.charge(1, now=0)] == [0, 1]
