"""Logs: one JSON line per event on stderr; static snake_case events, keyword data, ids only.

Fields pass an allow-list, so that a careless keyword cannot carry a name, a place or a picture out. Errors
are logged as their type and the places they passed through; their messages, which may quote data, appear
only at level DEBUG. What is left of a line goes to a collector as well, where the process has one.
"""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import TextIO, cast

import structlog
from opentelemetry._logs import get_logger
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from structlog.typing import EventDict, Processor, WrappedLogger

from services.chassis.calls import current_call
from services.chassis.telemetry.log_records import LogRecords

ALLOWED_FIELDS = frozenset(
    """
    event level time service logger request_id trace_id span_id method code status reason caller duration_ms
    error error_message frames task loop item
    subject purpose revision media upload suggestion rendition erasure consent_event notice key artefact purge_order
    event_id event_type stream consumer delivery delay_ms attempt retry
    model version part stage kind outcome bucket count total size_bytes pending seconds address target port pid
    signal lease dropped certificate_file
    """.split()  # noqa: SIM905  # a table reads better than sixty quotes
)
"""Names of fields that may appear in a log line. All are ids, numbers or words of a closed set."""

_SCOPE = "services.chassis"
_SHOW_MESSAGES_AT = logging.DEBUG
_ENCODER = json.JSONEncoder(default=str, separators=(",", ":"))


def configure_logging(service: str, level: str, *, fields: Iterable[str] = ()) -> None:
    """Send every log record of the process, structlog's and the standard library's, to stderr as JSON.

    Args:
        service: Name that every line bears.
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        fields: Further field names that this service may log; ids, numbers and closed words only.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _ErrorWithoutMessage(show_messages=logging.getLevelName(level) <= _SHOW_MESSAGES_AT),
        _Origin(service),
    ]
    rendered: list[Processor] = [
        _AllowList(ALLOWED_FIELDS | frozenset(fields)),
        # The provider may come later: what is logged before it does is on stderr alone.
        LogRecords(get_logger(_SCOPE)),
        _json,
    ]
    _configure_stdlib(level, shared, rendered)
    # Our own events skip the standard library's records: a call's one line would cost as much as the call.
    structlog.configure(
        processors=[*shared, *rendered],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )


def _configure_stdlib(level: str, shared: list[Processor], rendered: list[Processor]) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("nats", "asyncio", "PIL", "psycopg.pool", "opentelemetry"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Its warnings quote whole URLs, signatures included.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class _Unfailing:
    """A stream on which writing never fails: a full disk takes lines from the log, not answers from callers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if that is possible."""
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Hand on what was written if that is possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()


class _Origin:
    """Puts the service's name on every line, and the ids of the RPC and of the span that are running."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        call = current_call()
        if call is not None:
            event["request_id"] = call.request_id
        span = get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = format_trace_id(span.trace_id)
            event["span_id"] = format_span_id(span.span_id)
        return event


class _AllowList:
    """Removes every field that is not known to be harmless, and says which it removed."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        dropped = event.keys() - self._allowed
        for name in dropped:
            del event[name]
        if dropped:
            event["dropped"] = sorted(dropped)
        return event


class _ErrorWithoutMessage:
    """Replaces `exc_info` by the error's type and frames, and at DEBUG its message."""

    def __init__(self, *, show_messages: bool) -> None:
        self._show_messages = show_messages

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        error = _error_of(event.pop("exc_info", None))
        if error is not None:
            event["error"] = type(error).__qualname__
            event["frames"] = _frames(error.__traceback__)
            if self._show_messages:
                event["error_message"] = str(error)
        return event


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _ENCODER.encode(event)


def _error_of(exc_info: object) -> BaseException | None:
    if exc_info is True:
        return sys.exception()
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return exc_info if isinstance(exc_info, BaseException) else None


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
