"""Photos for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.suggestion.domain.geometry import Position
from services.suggestion.domain.photos import Photo

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
DAY = 24 * 60
LYON, NAPLES = Position(45.76, 4.84), Position(40.85, 14.27)


def photo(name: str, minutes: float = 0, **fields: Any) -> Photo:
    """Return a good photo taken some minutes after noon of 14 November 2026."""
    values: dict[str, Any] = {"width": 1600, "height": 1200, "sharpness": 0.8, "exposure": 0.9, **fields}
    return Photo(media=f"media/{name}", taken=NOON + timedelta(minutes=minutes), **values)


def series(count: int, *, start: float = 0, step: float = 5, prefix: str = "p", **fields: Any) -> list[Photo]:
    """Return photos one after the other, each looking like no other."""
    return [
        photo(f"{prefix}{index}", start + index * step, embedding=_unlike(index), **fields) for index in range(count)
    ]


def travels() -> list[Photo]:
    """Return five days at home, three days away, and a moment of five photos."""
    at_home = [photo(f"h{day}", (day - 20) * DAY, position=LYON) for day in range(5)]
    return [*series(5), *at_home, *series(12, start=-9 * DAY, step=DAY / 4, prefix="a", position=NAPLES)]


def _unlike(index: int) -> tuple[float, ...]:
    return tuple(1.0 if place == index % 32 else 0.05 for place in range(32))
