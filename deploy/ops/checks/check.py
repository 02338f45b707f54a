"""Check: what was looked at, the verdict, what is wrong and the remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How something stands.

    `WARNING` may be meant so, `WRONG` keeps something from working, `UNKNOWN` could not be looked at.
    """

    RIGHT = "right"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """Something that was looked at.

    Attributes:
        name: What was looked at, such as `cert-manager: certificates.cert-manager.io`.
        verdict: How it stands.
        wrong: What is wrong with it; empty when it is right.
        remedy: What to do about it; empty when it is right.
        runbook: What to read; empty where there is none.
    """

    name: str
    verdict: Verdict = Verdict.RIGHT
    wrong: str = ""
    remedy: str = ""
    runbook: str = ""

    @classmethod
    def of(cls, name: str, wrong: str, remedy: str, runbook: str = "") -> "Check":
        """Return a check that is right if nothing is wrong."""
        return cls(name, Verdict.WRONG, wrong, remedy, runbook) if wrong else cls(name)

    @classmethod
    def warned(cls, name: str, wrong: str, remedy: str, runbook: str = "") -> "Check":
        """Return a check that is right if nothing is wrong, and a warning otherwise."""
        return cls(name, Verdict.WARNING, wrong, remedy, runbook) if wrong else cls(name)

    @classmethod
    def unknown(cls, name: str, why: str, remedy: str) -> "Check":
        """Return a check that could not be made."""
        return cls(name, Verdict.UNKNOWN, why, remedy)
