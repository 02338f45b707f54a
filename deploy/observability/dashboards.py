"""Dashboards, as files out of `dashboards.yaml`: run as `python -m deploy.observability.dashboards` to write them."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.observability.objectives import OBJECTIVES, Objective
from deploy.observability.panels import Dashboard, Panel, Row, model

PAGES: Final = Path(__file__).parent / "dashboards.yaml"
FOLDER: Final = Path(__file__).parent / "dashboards"
_OVERVIEW: Final = "pellicule-overview"
_WINDOWS: Final = ("1h", "6h", "3d")


def files() -> Mapping[str, str]:
    """Return the text of every dashboard's file, by its name."""
    return {f"{each.uid}.json": json.dumps(model(each), indent=2, ensure_ascii=False) + "\n" for each in dashboards()}


def dashboards() -> Sequence[Dashboard]:
    """Return what `dashboards.yaml` says, and the objectives at the top of the overview."""
    return [_dashboard(each) for each in yaml.safe_load(PAGES.read_text(encoding="utf-8"))["dashboards"]]


def _dashboard(page: Mapping[str, Any]) -> Dashboard:
    rows = [Row(row["title"], [Panel(**panel) for panel in row["panels"]]) for row in page["rows"]]
    return Dashboard(page["uid"], page["title"], [_budgets(), *rows] if page["uid"] == _OVERVIEW else rows)


def _budgets() -> Row:
    return Row("How fast error budgets are spent: 1 leaves nothing after 30 days", list(map(_budget, OBJECTIVES)))


def _budget(objective: Objective) -> Panel:
    of, budget = f'{{objective="{objective.name}"}}', f"{1 - objective.target:.6g}"
    burning = {f"over {window}": f"pellicule:bad:ratio_rate{window}{of} / {budget}" for window in _WINDOWS}
    return Panel(f"Budget of {objective.name}", "none", burning, f"Good is {objective.good}.")


def main() -> int:
    """Write the files."""
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
