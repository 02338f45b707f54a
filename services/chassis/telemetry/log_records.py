"""Log lines on their way to a collector: the same fields as on stderr, past the same rules."""

from typing import Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from structlog.typing import EventDict, WrappedLogger

_SEVERITIES: Final = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_ELSEWHERE: Final = frozenset({"event", "level", "time", "service", "trace_id", "span_id"})
"""What a record has a place of its own for, or its resource."""
_NAMES: Final = {"error": "exception.type", "error_message": "exception.message", "frames": "exception.stacktrace"}
_PLAIN: Final = (str, bool, int, float)
_OWN_LOGGERS: Final = "opentelemetry"
"""What the sender says of itself: that a line could not be sent must not become a line to be sent."""


class LogRecords:
    """Hands each line to a logger of OpenTelemetry, which drops it where no collector is; the last but one to see it.

    A line has its trace and its span from the context in which it is written.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Hand the line on, and return it as it is."""
        if self._logger.enabled() and not str(event.get("logger", "")).startswith(_OWN_LOGGERS):
            self._logger.emit(_record(event))
        return event


def _record(event: EventDict) -> LogRecord:
    level = str(event.get("level", "info"))
    return LogRecord(
        body=str(event.get("event", "")),
        severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
        severity_text=level.upper(),
        attributes={
            _NAMES.get(name, name): _plain(name, value)
            for name, value in event.items()
            if name not in _ELSEWHERE and value is not None
        },
    )


def _plain(name: str, value: object) -> str | bool | int | float | list[str]:
    if isinstance(value, _PLAIN):
        return value
    if not isinstance(value, list | tuple):
        return str(value)
    words = [str(each) for each in value]
    return "\n".join(words) if name == "frames" else words
