import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.chassis.calls import Call, enter_call
from services.chassis.logs import configure_logging


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structured = structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structured)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def fail() -> None:
    raise ValueError("Grandma's birthday")


def test_a_line_is_json_with_service_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO")
    structlog.get_logger().info("media_stored", media="media/1", count=3)
    (line,) = lines(capsys)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "media_stored",
        "level": "info",
        "service": "ingest",
        "media": "media/1",
        "count": 3,
    }


def test_a_field_that_is_not_known_to_be_harmless_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO")
    structlog.get_logger().info("media_stored", file_name="IMG_grandma.jpg", latitude=48.1)
    (line,) = lines(capsys)
    assert line["dropped"] == ["file_name", "latitude"]
    assert "grandma" not in json.dumps(line)


def test_a_service_may_name_further_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO", fields=["layout"])
    structlog.get_logger().info("collage_made", layout="mosaic")
    assert lines(capsys)[0]["layout"] == "mosaic"


def test_an_error_is_logged_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO")
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("decode_failed")
    (line,) = lines(capsys)
    assert line["error"] == "ValueError"
    assert line["frames"][-1].endswith(" fail")
    assert "Grandma" not in json.dumps(line)


def test_at_debug_an_error_is_logged_with_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "DEBUG")
    try:
        fail()
    except ValueError as error:
        structlog.get_logger().warning("decode_failed", exc_info=error)
    assert lines(capsys)[0]["error_message"] == "Grandma's birthday"


def test_a_line_inside_a_call_bears_its_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO")

    async def handle() -> None:
        enter_call(Call("/s/M", "request-1"))
        structlog.get_logger().info("media_stored")

    asyncio.run(handle())
    assert lines(capsys)[0]["request_id"] == "request-1"


def test_the_standard_librarys_records_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "INFO")
    logging.getLogger("some.library").warning("went wrong: %s", 7)
    (line,) = lines(capsys)
    assert (line["event"], line["logger"], line["service"]) == ("went wrong: 7", "some.library", "ingest")


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", "WARNING")
    structlog.get_logger().info("media_stored")
    assert lines(capsys) == []


def test_a_line_that_cannot_be_written_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    configure_logging("ingest", "INFO")
    structlog.get_logger().info("media_stored")
    logging.getLogger("library").warning("unheard")
