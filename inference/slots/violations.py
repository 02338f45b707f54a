"""At which points a model breaks the contract of its slot, each with what to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.model_build.errors import ModelError


@dataclass(frozen=True)
class Violation:
    """One point.

    Attributes:
        field: the file, the tensor or the behaviour at fault.
        found: what is there.
        expected: what has to be there.
        remedy: what to change.
    """

    field: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: found {self.found}, expected {self.expected}: {self.remedy}"


class SlotRefused(ModelError):
    """A model breaks the contract of its slot; nothing was installed.

    Attributes:
        violations: all points, in the order in which they were found.
    """

    reason = "SLOT_CONTRACT_BROKEN"

    def __init__(self, slot: str, violations: Sequence[Violation]) -> None:
        lines = "".join(f"\n  - {violation}" for violation in violations)
        super().__init__(f"nothing was installed; change this and try again:{lines}", field=slot)
        self.violations = tuple(violations)


class SlotUnknown(ModelError):
    """There is no such slot."""

    reason = "SLOT_UNKNOWN"


class SlotEmpty(ModelError):
    """Nothing of the operator's fills the slot."""

    reason = "SLOT_EMPTY"


class FillingBroken(ModelError):
    """What was installed was changed, or breaks the contract of its slot by now."""

    reason = "SLOT_FILLING_BROKEN"
