"""A report as a picture: who waited how long and when, how much was answered, and what memory did."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from inference.load.harness import Outcome, Sample
from inference.load.reports import Phase, Report

_COLOURS = {
    Outcome.ANSWERED: "#1f5fa8",
    Outcome.REFUSED: "#dd8a1d",
    Outcome.FAILED: "#c53030",
    Outcome.NOT_SENT: "#718096",
}
_MOST_DOTS = 20_000
_FEW_DOTS = 500
_FLOOR_MS = 0.1


def draw(report: Report, path: Path) -> None:
    """Draws a report into a file; its ending says the format (.svg, .png)."""
    with mpl.rc_context({"font.size": 9, "axes.grid": True, "grid.alpha": 0.25, "svg.hashsalt": "pellicule"}):
        figure = Figure(figsize=(10, 7), layout="constrained")
        figure.suptitle(_title(report), fontsize=11)
        _draw_phases(figure, report.phases)
        figure.savefig(path, dpi=110, metadata=None if path.suffix != ".svg" else {"Date": None})


def _title(report: Report) -> str:
    head = f"{report.scenario}: {report.model} ({'holds' if report.holds else 'does not hold'})"
    return "\n".join([head, *map(str, report.findings)])


def _draw_phases(figure: Figure, phases: Sequence[Phase]) -> None:
    memory = phases[0].memory if phases else ()
    rows = figure.subplots(3 if memory else 2, len(phases), squeeze=False, sharex="col", sharey="row")
    for column, phase in enumerate(phases):
        rows[0, column].set_title(phase.name)
        _draw_latencies(rows[0, column], phase.run.samples)
        _draw_rates(rows[1, column], phase)
        if memory:
            rows[2, column].plot(*zip(*phase.memory, strict=True), color="#2f855a", linewidth=1)
        rows[-1, column].set_xlabel("seconds from the beginning")
    rows[0, 0].set_ylabel("latency from when due, ms")
    rows[1, 0].set_ylabel("requests a second")
    rows[1, 0].legend(loc="upper right")
    if memory:
        rows[2, 0].set_ylabel("server's memory, MiB")


def _draw_latencies(axes: Axes, samples: Sequence[Sample]) -> None:
    shown = samples[:: 1 + len(samples) // _MOST_DOTS]
    size = 6 if len(samples) < _FEW_DOTS else 2
    for outcome, colour in _COLOURS.items():
        mine = [sample for sample in shown if sample.outcome is outcome]
        if mine:
            heights = [max(1e3 * sample.latency, _FLOOR_MS) for sample in mine]
            label = outcome.value.replace("_", " ")
            axes.plot([s.due for s in mine], heights, ".", color=colour, markersize=size, label=label, rasterized=True)
    if samples:
        axes.legend(loc="upper right", markerscale=12 / size)
    # Labelled with plain numbers, also between the powers of ten.
    axes.set_yscale("log")
    for axis_set in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        axis_set(LogFormatter(minor_thresholds=(2, 0.6)))


def _draw_rates(axes: Axes, phase: Phase) -> None:
    width = 1.0 if phase.run.seconds < 120 else 5.0
    edges = np.arange(0.0, phase.run.seconds + width, width)
    due, _ = np.histogram([sample.due for sample in phase.run.samples], edges)
    answered = [sample.ended for sample in phase.run.samples if sample.outcome is Outcome.ANSWERED]
    came, _ = np.histogram(answered, edges)
    axes.stairs(due / width, edges, color="#a0aec0", label="due", fill=True)
    axes.stairs(came / width, edges, color=_COLOURS[Outcome.ANSWERED], label="answered", linewidth=1.5)
    axes.set_ylim(bottom=0)
