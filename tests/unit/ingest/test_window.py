from datetime import UTC, datetime, timedelta

from services.ingest.domain.window import Window

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_window_forgives_clocks_and_zones() -> None:
    window = Window.at(NOON, timedelta(days=30), timedelta(hours=15))
    assert window.holds(NOON - timedelta(days=30, hours=15))
    assert not window.holds(NOON - timedelta(days=30, hours=15, seconds=1))
    assert window.holds(NOON + timedelta(hours=15))
    assert not window.holds(NOON + timedelta(hours=15, seconds=1))
    assert not window.holds(None)
