"""Purposes as a person types them."""

from __future__ import annotations

from collections.abc import Iterable

from pellicule.type.v1 import purpose_pb2
from services.cli.output import UsageWrong

NAMES = tuple(value.name.removeprefix("PURPOSE_") for value in purpose_pb2.Purpose.DESCRIPTOR.values[1:])


def parse(text: str, *, field: str) -> tuple[str, ...]:
    """Return the purposes of a list such as "CLOUD_PROCESSING,LOCATION", each once, in the order of their numbers.

    Raises:
        UsageWrong: a name is none of them.
    """
    asked = {part.strip().upper() for part in text.split(",") if part.strip()}
    for name in sorted(asked - set(NAMES)):
        raise UsageWrong("PURPOSE_UNKNOWN", f"there is no purpose {name!r}; choose from {', '.join(NAMES)}", field)
    if not asked:
        raise UsageWrong("PURPOSE_MISSING", f"name one or more of {', '.join(NAMES)}", field)
    return tuple(name for name in NAMES if name in asked)


def number(name: str) -> purpose_pb2.Purpose.ValueType:
    """Return the enum value of a name."""
    return purpose_pb2.Purpose.Value(f"PURPOSE_{name}")


def name(value: int) -> str:
    """Return the name of an enum value."""
    return purpose_pb2.Purpose.Name(purpose_pb2.Purpose.ValueType(value)).removeprefix("PURPOSE_")


def numbers(names: Iterable[str]) -> list[purpose_pb2.Purpose.ValueType]:
    """Return the enum values of names."""
    return [number(each) for each in names]
