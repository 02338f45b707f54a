"""Roles: what one process of a service does; all of them on one machine, one or two in each workload of a cluster."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """A part of what a service's processes do."""

    PREPARE = "prepare"
    """Bring the schema, the buckets and the streams up to date; with nothing else the process ends then."""
    PUBLIC = "public"
    """The listener for persons."""
    INTERNAL = "internal"
    """The listener for services."""
    UPKEEP = "upkeep"
    """Light work that must always go on: consumers, sweeps, deadlines, purge orders."""
    WORKER = "worker"
    """Heavy work that the bus wakes; no call waits for it."""


ALL_ROLES = frozenset(Role)
SERVING = frozenset({Role.PUBLIC, Role.INTERNAL})


def read_roles(given: str | Iterable[str], offered: frozenset[Role]) -> frozenset[Role]:
    """Return the roles that a setting names, separated by commas.

    Args:
        given: As in `PELLICULE_ROLES`.
        offered: What the service has.

    Raises:
        ValueError: it names none, or one that the service does not have.
    """
    names = [name.strip() for name in (given.split(",") if isinstance(given, str) else given)]
    known = {str(role): role for role in Role if role in offered}
    choice = f"PELLICULE_ROLES takes {', '.join(known)}, separated by commas; leave it out for all of them"
    if wrong := [name for name in names if name not in known]:
        raise ValueError(f"{wrong[0]!r} is no role of this service: {choice}")
    return frozenset(known[name] for name in names)
