"""A frozen part is told from a slow one, and from a machine that stood still."""

from deploy.local.liveness import BUSY_PATIENCE, Liveness

PATIENCE, LONGEST, PASSED = 3, 60.0, 5.0


def test_an_idle_part_that_gives_no_answer_is_frozen_once_patience_is_over() -> None:
    liveness = Liveness(PATIENCE, LONGEST)
    assert [liveness.silent(worked=1.0, passed=PASSED) for _ in range(PATIENCE)] == [False, False, True]


def test_an_answer_in_between_begins_the_count_anew() -> None:
    liveness = Liveness(PATIENCE, LONGEST)
    for _ in range(PATIENCE - 1):
        assert not liveness.silent(worked=1.0, passed=PASSED)
    liveness.answered(worked=1.0)
    assert not liveness.missed
    assert not liveness.silent(worked=1.0, passed=PASSED)


def test_a_busy_part_is_waited_for_longer_and_not_for_ever() -> None:
    liveness = Liveness(PATIENCE, LONGEST)
    seen = [liveness.silent(worked=look * PASSED / 2, passed=PASSED) for look in range(1, PATIENCE * BUSY_PATIENCE + 1)]
    assert seen.index(True) == PATIENCE * BUSY_PATIENCE - 1


def test_a_watcher_that_stood_still_itself_knows_nothing_of_its_part() -> None:
    liveness = Liveness(PATIENCE, LONGEST)
    assert not any(liveness.silent(worked=1.0, passed=3600.0) for _ in range(10))
