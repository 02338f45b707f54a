"""What holds for the tests of every layer."""

from collections.abc import MutableMapping
from typing import Any

import structlog
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def _no_connection_held(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Fail where another service is called by a task that holds a database connection."""
    assert event["event"] != "connection_held", event
    return event


# As it comes, structlog has rich paint the traceback of each logged error, which takes half a second a time.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        _no_connection_held,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
