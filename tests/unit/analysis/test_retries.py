from services.analysis.domain.retries import retry_delay


def test_delays_double_and_end_at_half_a_minute() -> None:
    assert [retry_delay(attempts).total_seconds() for attempts in (0, 1, 2, 3, 7, 1000)] == [0.5, 0.5, 1, 2, 30, 30]
