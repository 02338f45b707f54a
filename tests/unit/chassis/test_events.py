from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.chassis.messaging.events import EventMalformed, IncomingEvent, OutgoingEvent

TIME = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
EVENT = OutgoingEvent(
    type="pellicule.ingest.v1.MediaStored",
    subject="media/1",
    body=b"body",
    id=UUID("00000000-0000-4000-8000-000000000001"),
)


def test_an_event_travels_as_a_cloudevent_in_binary_mode() -> None:
    assert EVENT.headers(TIME) == {
        "ce-specversion": "1.0",
        "ce-id": "00000000-0000-4000-8000-000000000001",
        "ce-type": "pellicule.ingest.v1.MediaStored",
        "ce-source": "/pellicule.ingest.v1",
        "ce-subject": "media/1",
        "ce-time": "2026-03-01T12:30:15.250000+00:00",
        "content-type": "application/protobuf",
        "Nats-Msg-Id": "00000000-0000-4000-8000-000000000001",
    }


def test_an_event_arrives_as_it_was_sent() -> None:
    got = IncomingEvent.from_message(EVENT.headers(TIME), b"body")
    assert got == IncomingEvent(
        id=str(EVENT.id),
        type=EVENT.type,
        source="/pellicule.ingest.v1",
        subject="media/1",
        time=TIME,
        body=b"body",
    )


@pytest.mark.parametrize("missing", ["ce-id", "ce-type", "ce-source", "ce-time"])
def test_a_message_without_a_needed_header_is_no_event(missing: str) -> None:
    headers = {name: value for name, value in EVENT.headers(TIME).items() if name != missing}
    with pytest.raises(EventMalformed, match=missing):
        IncomingEvent.from_message(headers, b"")


def test_a_message_with_an_odd_time_is_no_event() -> None:
    with pytest.raises(EventMalformed, match="ce-time"):
        IncomingEvent.from_message({**EVENT.headers(TIME), "ce-time": "noon"}, b"")


def test_every_event_has_an_id_of_its_own() -> None:
    assert OutgoingEvent("t", "s", b"").id != OutgoingEvent("t", "s", b"").id
