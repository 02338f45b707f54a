"""Looks: checks of one subject each; one that this account may not make is unknown, and the others go on."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import ReadRefused

Look: TypeAlias = Callable[[], Iterator[Check]]


def looked(looks: Iterable[tuple[str, Look]]) -> Iterator[Check]:
    """Yield the checks of all looks, each under the name that it has if it is refused."""
    for name, look in looks:
        try:
            yield from look()
        except ReadRefused as error:
            yield Check.unknown(name, f"this account may not read {error}", "ask as one that may, or look by hand")
