"""Reports: a scenario's runs, and whether what has to hold does."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inference.load.figures import Figures, figures
from inference.load.harness import Run


@dataclass(frozen=True)
class Phase:
    """A part of a scenario.

    Attributes:
        name: such as "70 %" or "16 in flight".
        run: its requests.
        memory: (seconds, MiB) of the server while it lasted; empty where it was not looked at.
    """

    name: str
    run: Run
    memory: tuple[tuple[float, float], ...] = ()

    @property
    def figures(self) -> Figures:
        """Its numbers."""
        return figures(self.run)


@dataclass(frozen=True)
class Finding:
    """A number that is held against a limit.

    Attributes:
        what: such as "longest stall at 70 % of the peak".
        value: what was found; None when it could not be told, which does not hold.
        unit: of both.
        limit: what it is held against.
        at_least: whether the value must reach the limit, instead of staying within.
    """

    what: str
    value: float | None
    unit: str
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is on the right side."""
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        value = "never" if self.value is None else f"{self.value:.4g}"
        bound = "at least" if self.at_least else "at most"
        return f"{self.what}: {value} {self.unit} ({bound} {self.limit:.4g})".replace("  ", " ")


@dataclass(frozen=True)
class Report:
    """One scenario with one model.

    Attributes:
        scenario: its name.
        model: what was asked.
        phases: its parts, in order.
        findings: what had to hold.
        numbers: further numbers, such as the peak.
        faults: what went wrong, and how often.
    """

    scenario: str
    model: str
    phases: tuple[Phase, ...]
    findings: tuple[Finding, ...]
    numbers: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether everything does."""
        return all(finding.holds for finding in self.findings)

    def finding(self, what: str) -> Finding:
        """Return one finding by the beginning of what it says.

        Raises:
            KeyError: there is none.
        """
        for finding in self.findings:
            if finding.what.startswith(what):
                return finding
        raise KeyError(what)


def nothing_failed(*phases: Phase) -> Finding:
    """Find that every request that was taken on was answered, and every one that was due was sent."""
    lost = sum(phase.figures.failed + phase.figures.not_sent for phase in phases)
    return Finding("requests failed or not sent", lost, "requests", 0)
