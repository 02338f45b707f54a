"""Translation of a classified error into what the caller can act on; what it says of the server is remembered."""

from datetime import timedelta
from typing import Final

import structlog

from inference.client.error_classes import ErrorClass, Failed
from inference.client.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    OutOfMemory,
    TensorRefused,
)
from inference.client.model_channels import ModelChannel

_SOON: Final = timedelta(seconds=0.5)

_log = structlog.stdlib.get_logger()


def fault_of(channel: ModelChannel, failed: Failed, *, sent: float, now: float, hurried: bool) -> ModelFault:
    """Return what the caller is told of an error.

    Args:
        channel: The way to the model that failed.
        failed: The error.
        sent: When the request was first sent, on the clock.
        now: What the clock says.
        hurried: Whether the caller left less time than the model may take; then lateness is no failure.
    """
    _remember(channel, failed.error_class, sent=sent, now=now, hurried=hurried)
    return _told(channel, failed)


def _remember(channel: ModelChannel, error_class: ErrorClass, *, sent: float, now: float, hurried: bool) -> None:
    """Shrinks the limit, counts for the breaker, and forgets what a server said that may be replaced by another."""
    if error_class in (ErrorClass.OVERLOAD, ErrorClass.SLOW):
        channel.gate.limit.overloaded(sent=sent, now=now)
    if error_class is ErrorClass.BREAK:
        channel.breaker.trip()
    if error_class in (ErrorClass.RETRY, ErrorClass.FAILED) or (error_class is ErrorClass.SLOW and not hurried):
        channel.breaker.fail()
    if error_class in (ErrorClass.RETRY, ErrorClass.BREAK, ErrorClass.MISSING, ErrorClass.REFUSED):
        channel.facts = None


def _told(channel: ModelChannel, failed: Failed) -> ModelFault:
    model, message = channel.model, str(failed)
    match failed.error_class:
        case ErrorClass.REFUSED:
            return TensorRefused(model, message)
        case ErrorClass.MISSING:
            return ModelMissing(model, message)
        case ErrorClass.FAILED:
            return ModelAnswerBroken(model, message)
        case ErrorClass.OVERLOAD:
            return ModelBusy(model, message)
        case ErrorClass.MEMORY:
            return OutOfMemory(model, message)
        case ErrorClass.RETRY | ErrorClass.BREAK | ErrorClass.SLOW:
            _log.warning("model_unavailable", model=model, error_class=failed.error_class)
            return ModelUnavailable(model, message, channel.breaker.open_for() or _SOON)
