"""Line of a bench that holds a rate against a limit of it."""

from __future__ import annotations

from collections.abc import Mapping

from inference.load.turns import Compared

Row = Mapping[str, object]


def ratio_row(name: str, unit: str, compared: Compared, *, goal: float, digits: int = 2, **more: object) -> Row:
    """Return the line; it holds if the ratio reaches the goal."""
    return {
        "name": name,
        "value": round(compared.value, digits),
        "unit": unit,
        "limit": round(compared.limit, digits),
        "ratio": round(compared.ratio, 3),
        "goal": goal,
        "holds": compared.ratio >= goal,
        "uncertainty": round(compared.uncertainty, 3),
        "rounds": compared.rounds,
        **more,
    }
