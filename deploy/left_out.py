"""Reasons for which a run of the tests left some out, and how many tests each kept from running.

Run as `python -m deploy.left_out REPORT...`, each a report of pytest's `--junitxml`; prints the reasons, the most
frequent first.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree


def reasons(reports: Iterable[Path]) -> Counter[str]:
    """Return how many tests each reason kept from running, over all reports together."""
    return Counter(reason for report in reports for reason in _skipped(report))


def described(found: Counter[str]) -> str:
    """Return the lines that tell it."""
    tests = f"{found.total()} test{'' if found.total() == 1 else 's'}"
    lines = [f"{count:6}  {reason}" for reason, count in found.most_common()]
    return "\n".join([f"left out: {tests}", *lines] if lines else ["left out: no test"])


def _skipped(report: Path) -> Iterator[str]:
    # pytest has just written it.
    for skipped in ElementTree.parse(report).iterfind(".//skipped[@type='pytest.skip']"):  # noqa: S314
        yield skipped.get("message") or "no reason given"


def main(arguments: Sequence[str]) -> int:
    """Print what the reports named tell."""
    sys.stdout.write(f"{described(reasons(map(Path, arguments)))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
