"""Dependencies between purposes: which must stand for another to stand."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.keyring import PURPOSES, Purpose

_ON_CLOUD_PROCESSING = frozenset({Purpose.CLOUD_PROCESSING})
NEEDS: Mapping[Purpose, frozenset[Purpose]] = MappingProxyType(
    {purpose: frozenset() if purpose is Purpose.CLOUD_PROCESSING else _ON_CLOUD_PROCESSING for purpose in PURPOSES}
)
"""Purposes that must stand for a purpose to stand."""


def needs_of(purpose: Purpose) -> frozenset[Purpose]:
    """Return everything that a purpose needs, directly or not."""
    return NEEDS[purpose].union(*map(needs_of, NEEDS[purpose]))


def with_dependants(purposes: Iterable[Purpose]) -> tuple[Purpose, ...]:
    """Return purposes and everything that builds on them, in the order of the enum."""
    chosen = frozenset(purposes)
    return tuple(purpose for purpose in PURPOSES if purpose in chosen or needs_of(purpose) & chosen)
