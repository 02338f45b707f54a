"""Loss curve of a training, as it was written down."""

import csv
from pathlib import Path

from matplotlib.figure import Figure


def draw(table: Path, picture: Path) -> None:
    """Draws the error of the velocity and what was minimised against the steps.

    Args:
        table: `loss.csv`.
        picture: PNG to write.
    """
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(7, 3), dpi=110, layout="constrained")
    axes = figure.subplots()
    steps = [int(row["iteration"]) for row in rows]
    axes.plot(steps, [float(row["matching"]) for row in rows], label="mean square error of the velocity")
    axes.plot(steps, [float(row["loss"]) for row in rows], label="what is minimised")
    axes.set(xlabel="steps of 16 crops", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(picture)
