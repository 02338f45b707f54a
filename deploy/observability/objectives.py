"""Objectives: what owners may count on, and the rules that say how fast an error budget is spent.

Run as `python -m deploy.observability.objectives` to write `rules/objectives.yaml` and the table of `docs/slo.md`.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from deploy.observability.schema import metrics, prometheus_name

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "deploy" / "observability" / "rules" / "objectives.yaml"
DOCUMENT: Final = ROOT / "docs" / "slo.md"
BROKEN: Final = "UNKNOWN|DEADLINE_EXCEEDED|INTERNAL|UNAVAILABLE|DATA_LOSS"
"""Statuses of calls that a caller did nothing to deserve."""
_BEGIN: Final = "<!-- objectives: written by python -m deploy.observability.objectives -->\n"
_TABLE: Final = re.compile(f"(?<={_BEGIN}).*?(?=<!-- end of objectives -->)", re.S)
_HEAD: Final = ("| Objective | What counts as good | Share in 30 days | Alert |", "|---|---|---|---|")

Rule: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Objective:
    """What holds over 30 days.

    Attributes:
        name: In labels of rules.
        alert: Name of its alert, and of the runbook.
        good: What counts as good, for readers.
        target: Share of what is good, 0..1.
        total: Counts everything; `WINDOW` stands for the time.
        bad: Counts what is not good; `WINDOW` as well.
    """

    name: str
    alert: str
    good: str
    target: float
    total: str
    bad: str


@dataclass(frozen=True)
class Burn:
    """A pace at which the budget is spent that somebody has to be told of.

    Attributes:
        factor: So many times as fast as would leave nothing after 30 days.
        long: The window that says that it matters.
        short: The window that says that it goes on.
        severity: `page` wakes somebody, `ticket` waits until the morning.
    """

    factor: float
    long: str
    short: str
    severity: str


BURNS: Final = (
    Burn(14.4, "1h", "5m", "page"),
    Burn(6, "6h", "30m", "page"),
    Burn(3, "1d", "2h", "ticket"),
    Burn(1, "3d", "6h", "ticket"),
)
"""Two percent of the budget in an hour, five in six hours; ten in a day, ten in three."""
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def _calls(more: str = "") -> str:
    counted = f"{prometheus_name(metrics()['rpc.server.call.duration'])}_count"
    return f'sum(rate({counted}{{rpc_method!~"grpc[.].*"{more}}}[WINDOW]))'


def _slower(name: str, bound: float) -> tuple[str, str]:
    """Return what counts all of a duration, and what counts those above a bound, which is one of its buckets."""
    metric = metrics()[name]
    if bound not in metric.buckets:
        raise ValueError(f"{name} has no bucket up to {bound}: choose one of {metric.buckets}")
    series = prometheus_name(metric)
    total = f"sum(rate({series}_count[WINDOW]))"
    # Written by some senders as a whole number, by others with a fraction.
    return total, f'({total} - sum(rate({series}_bucket{{le=~"{bound:g}([.]0)?"}}[WINDOW])))'


OBJECTIVES: Final = (
    Objective(
        "calls",
        "PelliculeCallsBudgetBurn",
        "a call that does not end as UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE or DATA_LOSS",
        0.999,
        _calls(),
        f"""({_calls(f', rpc_response_status_code=~"{BROKEN}"')} or 0 * {_calls()})""",
    ),
    Objective(
        "uploads",
        "PelliculeUploadsBudgetBurn",
        "an upload that is stored within 1 s of its last byte",
        0.99,
        *_slower("pellicule.upload.commit.duration", 1),
    ),
    Objective(
        "ideas",
        "PelliculeIdeasBudgetBurn",
        "new suggestions within 5 minutes of the upload that waited longest for them",
        0.95,
        *_slower("pellicule.suggestions.delay", 300),
    ),
    Objective(
        "withdrawals",
        "PelliculeWithdrawalsBudgetBurn",
        "a destruction (withdrawal, erasure) that every holder of keys has heard and the journal has within 5 s",
        0.999,
        *_slower("pellicule.destruction.duration", 5),
    ),
    Objective(
        "erasures",
        "PelliculeErasuresBudgetBurn",
        "an order to delete that is carried out within a day",
        0.9999,
        *_slower("pellicule.purge_orders.duration", 86400),
    ),
)


def rule_file() -> str:
    """Return the file of rules."""
    groups = [{"name": f"pellicule-objective-{each.name}", "rules": list(_rules(each))} for each in OBJECTIVES]
    head = "# Written by python -m deploy.observability.objectives.\n"
    return head + yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000)


def with_table(text: str) -> str:
    """Return the document's text with the table as the code has it."""
    rows = "".join(f"{row}\n" for row in (*_HEAD, *map(_row, OBJECTIVES)))
    return _TABLE.sub(lambda _: rows, text)


def _row(objective: Objective) -> str:
    alert = f"[{objective.alert}](runbooks/{objective.alert}.md)"
    return f"| {objective.name} | {objective.good} | {objective.target * 100:g} % | {alert} |"


def _rules(objective: Objective) -> Iterator[Rule]:
    for window in WINDOWS:
        yield {
            "record": f"pellicule:bad:ratio_rate{window}",
            "labels": {"objective": objective.name},
            "expr": f"{objective.bad} / {objective.total}".replace("WINDOW", window),
        }
    for severity in ("page", "ticket"):
        yield _alert(objective, severity, [burn for burn in BURNS if burn.severity == severity])


def _alert(objective: Objective, severity: str, burns: Sequence[Burn]) -> Rule:
    budget = 1 - objective.target
    return {
        "alert": objective.alert,
        "expr": " or ".join(_burning(objective, burn, budget) for burn in burns),
        "for": "2m",
        "labels": {"severity": severity, "objective": objective.name},
        "annotations": {
            "summary": f"The error budget of {objective.name} is spent too fast",
            "description": f"Good is {objective.good}; that should be {objective.target * 100:g} % of all in 30 days.",
            "runbook": f"docs/runbooks/{objective.alert}.md",
        },
    }


def _burning(objective: Objective, burn: Burn, budget: float) -> str:
    bound = f"{burn.factor * budget:.6g}"
    ratios = (f'pellicule:bad:ratio_rate{window}{{objective="{objective.name}"}}' for window in (burn.long, burn.short))
    return "(" + " and ".join(f"{ratio} > {bound}" for ratio in ratios) + ")"


def main() -> int:
    """Write the rules and the table."""
    RULES.write_text(rule_file(), encoding="utf-8")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
