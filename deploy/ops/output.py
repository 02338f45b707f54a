"""Output of a command: its answer on standard output, as text or JSON Lines; progress on standard error."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import ClusterUnreachable, ReadRefused
from deploy.ops.errors import OpsError, OutOfReach
from deploy.ops.pods import CommandLost


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


@contextmanager
def failures(*, as_json: bool) -> Iterator[None]:
    """End the command with one line and its status if something in the block fails."""
    try:
        yield
    except OpsError as error:
        _end(error, as_json=as_json)
    except ReadRefused as error:
        _end(OutOfReach("NOT_ALLOWED", f"this account may not use {error}"), as_json=as_json)
    except ClusterUnreachable as error:
        _end(OutOfReach("CLUSTER_UNREACHABLE", f"{error}; set KUBECONFIG, or --context"), as_json=as_json)
    except CommandLost as error:
        _end(OutOfReach("COMMAND_LOST", str(error)), as_json=as_json)


def _end(error: OpsError, *, as_json: bool) -> None:
    emit(error.row) if as_json else note(error.line)
    raise SystemExit(error.status)
