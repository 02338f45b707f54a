"""What holds for the tests of every layer."""

import structlog

# As it comes, structlog has rich paint the traceback of each logged error, which takes half a second a time.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
