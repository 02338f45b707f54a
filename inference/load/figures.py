"""Figures of a run. Percentiles are exact: of all samples, by nearest rank, none interpolated."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.load.harness import Outcome, Run, Sample


@dataclass(frozen=True)
class Latency:
    """Latencies of what was answered, in milliseconds; zeros when nothing was."""

    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


@dataclass(frozen=True)
class Figures:
    """One run.

    Attributes:
        offered: Requests that were due.
        answered: Of these, how many were answered,
        refused: how many were refused for want of a place,
        failed: how many failed,
        not_sent: and how many were never sent.
        offered_rate: Requests due a second.
        rate: Answers a second while requests were due.
        latency: From when a request was due.
        longest_stall_ms: See `longest_stall`.
        sent_late_ms: How late the 99th percentile was sent; a generator that cannot keep up shows here.
    """

    offered: int
    answered: int
    refused: int
    failed: int
    not_sent: int
    offered_rate: float
    rate: float
    latency: Latency
    longest_stall_ms: float
    sent_late_ms: float


def figures(run: Run) -> Figures:
    """Count and measures a run."""
    counts = {outcome: sum(sample.outcome is outcome for sample in run.samples) for outcome in Outcome}
    return Figures(
        offered=len(run.samples),
        answered=counts[Outcome.ANSWERED],
        refused=counts[Outcome.REFUSED],
        failed=counts[Outcome.FAILED],
        not_sent=counts[Outcome.NOT_SENT],
        offered_rate=len(run.samples) / run.seconds,
        rate=answers_between(run, 0.0, run.seconds),
        latency=latency(run.samples),
        longest_stall_ms=1e3 * longest_stall(run),
        sent_late_ms=1e3 * percentile([sample.sent - sample.due for sample in run.samples], 0.99),
    )


def latency(samples: Iterable[Sample]) -> Latency:
    """Return the latencies of what was answered."""
    found = sorted(1e3 * sample.latency for sample in samples if sample.outcome is Outcome.ANSWERED)
    mean = sum(found) / len(found) if found else 0.0
    return Latency(mean, *(percentile(found, share) for share in (0.5, 0.9, 0.99, 0.999, 1.0)))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a share of all does not exceed; zero of none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else 0.0


def answers_between(run: Run, start: float, end: float) -> float:
    """Return answers a second that came in a part of a run."""
    count = sum(sample.outcome is Outcome.ANSWERED and start <= sample.ended < end for sample in run.samples)
    return count / (end - start)


def longest_stall(run: Run) -> float:
    """Return the longest time, in seconds, in which callers waited and none was answered.

    The server that works on one long request at a time shows that request's length; one that stands still, how long.
    """
    beginnings = [(sample.due, 1, False) for sample in run.samples]
    ends = [(sample.ended, -1, sample.outcome is Outcome.ANSWERED) for sample in run.samples]
    outstanding, since, longest = 0, 0.0, 0.0
    for moment, change, answers in sorted(beginnings + ends):
        if outstanding:
            longest = max(longest, moment - since)
        if answers or not outstanding:
            since = moment
        outstanding += change
    return longest


def recovered_after(
    run: Run, moment: float, *, within: float, window: float = 2.0, share: float = 0.95
) -> float | None:
    """Return the seconds after a moment from which on callers are served as they should be; None if never.

    Args:
        run: of a whole scenario.
        moment: when the trouble was over, or began.
        within: seconds in which an answer counts.
        window: seconds in a row for which it must hold.
        share: of the requests due in the window.
    """
    due = sorted(run.samples, key=lambda sample: sample.due)
    start = moment
    while start + window <= run.seconds:
        inside = [sample for sample in due if start <= sample.due < start + window]
        good = sum(sample.outcome is Outcome.ANSWERED and sample.latency <= within for sample in inside)
        if inside and good >= share * len(inside):
            return start - moment
        start += 0.25
    return None
