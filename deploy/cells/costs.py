"""Costs of a cell by stated prices, and of a person in it."""

from collections.abc import Mapping

from deploy.cells.assumptions import Assumptions
from deploy.cells.loads import Load

DATABASE_SERVERS = 3
DAYS = 30
HEADROOM = 1.5
"""Cores that are paid for against cores that work: peaks, upgrades, a node that is away."""


def costs(load: Load, assumptions: Assumptions) -> Mapping[str, float]:
    """Return what a cell costs a month, by what it is for, and what a person in it does."""
    prices = assumptions.prices
    # Peaks of analysis wait; those of uploads do not. What pods at their fewest could do of it is not taken off.
    cores = load.analysis_core_hours_a_day / 24 + load.upload_core_hours_a_day / 24 * assumptions.persons.peak
    parts = {
        "base": prices.base,
        "cores": cores * HEADROOM * prices.core,
        "objects": load.object_gigabytes * prices.object_gigabyte,
        "databases": load.database_gigabytes * DATABASE_SERVERS * prices.database_gigabyte,
        "puts": load.objects_a_day * DAYS / 1e6 * prices.million_puts,
    }
    total = sum(parts.values())
    return {**parts, "cell": total, "person": total / max(1, load.persons)}
