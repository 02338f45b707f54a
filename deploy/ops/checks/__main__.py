"""Command line `python -m deploy.ops.checks`: says what a cluster lacks for the charts, and what to do about it."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace

from deploy.charts.environments import environments
from deploy.ops.checks.check import Check, Verdict
from deploy.ops.checks.cluster import ClusterUnreachable, KubernetesCluster
from deploy.ops.checks.needs import needs_of
from deploy.ops.checks.pieces import PIECES
from deploy.ops.checks.prerequisites import prerequisites

READY, LACKING, OUT_OF_REACH = 0, 1, 3


def main() -> int:
    """Run the command; return its exit status: 0 nothing is wrong, 1 something is, 2 wrong use, 3 out of reach."""
    arguments = _parser().parse_args()
    found = []
    try:
        for check in _checks(arguments):
            found.append(check)
            _say(arguments, check)
    except ClusterUnreachable as error:
        remedy = "set KUBECONFIG, or --context, to a cluster that answers"
        _say(arguments, Check("kubernetes: API", Verdict.UNKNOWN, " ".join(str(error).split()), remedy))
        return OUT_OF_REACH
    return LACKING if any(check.verdict is Verdict.WRONG for check in found) else READY


def _checks(arguments: argparse.Namespace) -> Iterator[Check]:
    needed = needs_of(arguments.environment, arguments.namespace)
    pieces = tuple(dict.fromkeys([*needed.pieces, *arguments.pieces]))
    return prerequisites(KubernetesCluster.configured(arguments.context), replace(needed, pieces=pieces))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/platform/check", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument(
        "--environment", default="production", choices=environments(), help="for which; by default production"
    )
    parser.add_argument(
        "--with", dest="pieces", action="append", default=[], choices=PIECES, help="a piece that is wanted as well"
    )
    parser.add_argument("--namespace", default="pellicule", help="where the charts go")
    parser.add_argument("--context", help="of the kubeconfig; by default the current one")
    parser.add_argument("--json", action="store_true", help="JSON Lines in place of text")
    return parser


def _say(arguments: argparse.Namespace, check: Check) -> None:
    row = {key: value or None for key, value in asdict(check).items()}
    why = f": {check.wrong}: {check.remedy}" if check.wrong else ""
    line = json.dumps(row) if arguments.json else f"{check.verdict:<8} {check.name}{why}"
    print(line, flush=True)  # noqa: T201  # its answer


if __name__ == "__main__":
    sys.exit(main())
