"""Charts of the cluster: their values by environment, what they render to, and what is written out of them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
ENVIRONMENTS = ROOT / "deploy" / "environments"


def charts() -> tuple[str, ...]:
    """Return the names of the charts."""
    return tuple(sorted(file.parent.name for file in CHARTS.glob("*/Chart.yaml")))
