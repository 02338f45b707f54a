"""Turns a judged error into what the caller can act on, and remembers what it says of the server."""

from datetime import timedelta
from typing import Final

import structlog

from inference.client.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    OutOfMemory,
    TensorRefused,
)
from inference.client.lanes import Lane
from inference.client.verdicts import Failed, Verdict

_SOON: Final = timedelta(seconds=0.5)

_log = structlog.stdlib.get_logger()


def fault_of(lane: Lane, failed: Failed, *, sent: float, now: float, hurried: bool) -> ModelFault:
    """Returns what the caller is told of an error.

    Args:
        lane: The way to the model that failed.
        failed: The error.
        sent: When the request was first sent, on the clock.
        now: What the clock says.
        hurried: Whether the caller left less time than the model may take; then a late answer is nobody's failure.
    """
    _remember(lane, failed.verdict, sent=sent, now=now, hurried=hurried)
    return _told(lane, failed)


def _remember(lane: Lane, verdict: Verdict, *, sent: float, now: float, hurried: bool) -> None:
    """Shrinks the limit, counts for the breaker, and forgets what a server said that may be replaced by another."""
    if verdict in (Verdict.OVERLOAD, Verdict.SLOW):
        lane.gate.limit.overloaded(sent=sent, now=now)
    if verdict is Verdict.BREAK:
        lane.breaker.trip()
    if verdict in (Verdict.RETRY, Verdict.FAILED) or (verdict is Verdict.SLOW and not hurried):
        lane.breaker.fail()
    if verdict in (Verdict.RETRY, Verdict.BREAK, Verdict.MISSING, Verdict.REFUSED):
        lane.facts = None


def _told(lane: Lane, failed: Failed) -> ModelFault:
    model, message = lane.model, str(failed)
    match failed.verdict:
        case Verdict.REFUSED:
            return TensorRefused(model, message)
        case Verdict.MISSING:
            return ModelMissing(model, message)
        case Verdict.FAILED:
            return ModelAnswerBroken(model, message)
        case Verdict.OVERLOAD:
            return ModelBusy(model, message)
        case Verdict.MEMORY:
            return OutOfMemory(model, message)
        case Verdict.RETRY | Verdict.BREAK | Verdict.SLOW:
            _log.warning("model_unavailable", model=model, verdict=failed.verdict)
            return ModelUnavailable(model, message, lane.breaker.open_for() or _SOON)
