"""Command line `python -m deploy.samples DIR`: the sample roll in a folder."""

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.samples.building import Roll, Step, build_roll
from deploy.samples.errors import RollError


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.samples", description="Builds the sample roll.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the roll goes")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    try:
        roll = _with_bar(arguments.folder, console)
    except RollError as error:
        console.print(f"deploy.samples: {error}", markup=False, highlight=False)
        return 1
    _say(roll, console)
    return 0


def _with_bar(folder: Path, console: Console) -> Roll:
    columns = (TextColumn("{task.description:<34}"), BarColumn(32), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("sample roll", total=None)

        def report(step: Step) -> None:
            bars.update(bar, description=step.text, completed=step.done, total=step.total or None)

        return build_roll(folder, now=datetime.now(UTC), progress=report)


def _say(roll: Roll, console: Console) -> None:
    events = Counter(row.event for row in roll.files)
    counts = ", ".join(f"{count} {event}" for event, count in events.most_common())
    state = "built" if roll.built else "already there"
    console.print(f"{state}: {len(roll.files)} pictures in {roll.pictures} ({counts})", markup=False, highlight=False)
    if roll.missing_packages:
        console.print(
            f"smaller than it could be: {', '.join(roll.missing_packages)} could not be had; on Debian 12 with apt and"
            " a network, delete the folder and run again",
            markup=False, highlight=False,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
