import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog
from opentelemetry._logs import LogRecord, NoOpLogger
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from services.chassis.logs import configure_logging
from services.chassis.telemetry.log_records import LogRecords


@pytest.fixture
def sent() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]


@pytest.fixture
def provider(sent: InMemoryLogRecordExporter) -> LoggerProvider:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(sent))
    return provider


@pytest.fixture(autouse=True)
def logging_as_it_was(provider: LoggerProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, structured = root.handlers[:], root.level, structlog.get_config()
    monkeypatch.setattr("services.chassis.logs.get_logger", provider.get_logger)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structured)


def the_line(sent: InMemoryLogRecordExporter) -> LogRecord:
    (line,) = sent.get_finished_logs()
    return line.log_record


def test_a_line_goes_to_the_collector_with_its_fields(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    structlog.get_logger().warning("event_retried", consumer="analysis-media", delivery=2, reason=None)
    line = the_line(sent)
    assert (line.body, line.severity_text, line.attributes) == (
        "event_retried",
        "WARNING",
        {"consumer": "analysis-media", "delivery": 2},
    )


def test_what_stderr_does_not_see_no_collector_sees(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    structlog.get_logger().info("media_stored", file_name="IMG_grandma.jpg")
    assert the_line(sent).attributes == {"dropped": ("file_name",)}


def test_an_error_goes_as_its_type_and_places(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    try:
        raise ValueError("Grandma's birthday")
    except ValueError:
        structlog.get_logger().exception("decode_failed")
    attributes = the_line(sent).attributes or {}
    assert attributes["exception.type"] == "ValueError"
    assert str(attributes["exception.stacktrace"]).startswith(__file__)
    assert "Grandma" not in str(attributes)


def test_what_is_no_plain_value_is_written_out(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    structlog.get_logger().info("media_stored", media=UUID(int=1), port=[1, 2])
    assert the_line(sent).attributes == {"media": "00000000-0000-0000-0000-000000000001", "port": ("1", "2")}


def test_a_line_in_a_span_bears_its_ids_on_both_ways(
    sent: InMemoryLogRecordExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("ingest", "INFO")
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("look") as span:
        structlog.get_logger().info("media_stored")
    ids, line = span.get_span_context(), the_line(sent)
    assert (line.trace_id, line.span_id) == (ids.trace_id, ids.span_id)
    assert f'"trace_id":"{ids.trace_id:032x}","span_id":"{ids.span_id:016x}"' in capsys.readouterr().err


def test_records_of_libraries_go_as_well(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    logging.getLogger("some.library").error("went wrong: %s", 7)
    assert (the_line(sent).body, the_line(sent).attributes) == ("went wrong: 7", {"logger": "some.library"})


def test_what_the_sender_says_of_itself_is_not_sent(sent: InMemoryLogRecordExporter) -> None:
    configure_logging("ingest", "INFO")
    logging.getLogger("opentelemetry.exporter").error("Failed to export logs")
    assert sent.get_finished_logs() == ()


def test_without_a_collector_a_line_passes_as_it_is() -> None:
    event = {"event": "media_stored", "level": "info"}
    assert LogRecords(NoOpLogger("test"))(None, "", event) is event
