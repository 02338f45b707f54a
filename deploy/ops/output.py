"""Output of a command: its answer on standard output, as text or JSON Lines; progress on standard error."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict

from deploy.ops.checks.check import Check


def say(line: str) -> None:
    """Write a line of the answer at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def emit(row: Mapping[str, object]) -> None:
    """Write a row of the answer at once."""
    say(json.dumps(row, ensure_ascii=False))


def note(line: str) -> None:
    """Write a line for people."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def say_check(check: Check, *, as_json: bool) -> None:
    """Write a check."""
    if as_json:
        emit({key: value or None for key, value in asdict(check).items()})
        return
    book = f" ({check.runbook})" if check.runbook else ""
    why = f": {check.wrong}: {check.remedy}{book}" if check.wrong else ""
    say(f"{check.verdict:<8} {check.name}{why}")
