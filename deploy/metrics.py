"""Table of metrics in `docs/operations.md`, made from the code: run as `python -m deploy.metrics` to write it anew."""

import re
import sys
from pathlib import Path

from deploy.observability import schema
from services.chassis.metrics import Metric

DOCUMENT = Path("docs", "operations.md")
_TABLE = re.compile(r"(?<=<!-- metrics: written by python -m deploy.metrics -->\n).*?(?=<!-- end of metrics -->)", re.S)
_HEAD = ("| Name | Kind | Unit | By | What |", "|---|---|---|---|---|")


def with_table(text: str) -> str:
    """Return the document's text with the table as the code has it."""
    rows = "".join(f"{row}\n" for row in (*_HEAD, *map(_row, schema.metrics().values())))
    return _TABLE.sub(lambda _: rows, text)


def _row(metric: Metric) -> str:
    by = ", ".join(f"`{each}`" for each in metric.attributes)
    return f"| `{metric.name}` | {metric.kind} | `{metric.unit}` | {by} | {metric.description} |"


def main() -> int:
    """Write the table."""
    document = Path(__file__).parents[1] / DOCUMENT
    document.write_text(with_table(document.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
