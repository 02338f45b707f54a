"""Events on the wire: CloudEvents 1.0, binary content mode of its NATS binding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID, uuid4

_REQUIRED = ("ce-id", "ce-type", "ce-source", "ce-time")


class EventMalformed(Exception):
    """A message of the bus is no CloudEvent."""


class EventRefused(Exception):
    """The bus takes no such event, now or later: it is too large, or malformed."""


@dataclass(frozen=True)
class OutgoingEvent:
    """An event of this service.

    Attributes:
        type: Full name of the protobuf message, also its subject on the bus.
        subject: Resource name that it is about, such as `media/{uuid}`.
        body: The serialised protobuf message.
        id: Its id, also the message id by which the bus drops duplicates.
        person: Pseudonym of the person with whom it goes; empty if it tells of none.
    """

    type: str
    subject: str
    body: bytes
    id: UUID = field(default_factory=uuid4)
    person: str = ""

    def headers(self, time: datetime) -> dict[str, str]:
        """Return the CloudEvents headers of an event that happened at `time`."""
        return {
            "ce-specversion": "1.0",
            "ce-id": str(self.id),
            "ce-type": self.type,
            "ce-source": "/" + self.type.rpartition(".")[0],
            "ce-subject": self.subject,
            "ce-time": time.isoformat(),
            "content-type": "application/protobuf",
            "Nats-Msg-Id": str(self.id),
        }


@dataclass(frozen=True)
class IncomingEvent:
    """An event of some service.

    Attributes:
        id: Unique together with `source`; the same event always bears the same.
        type: Full name of the protobuf message.
        source: Who emitted it, such as `/pellicule.internal.ingest.v1`.
        subject: Resource name that it is about.
        time: When it happened.
        body: The serialised protobuf message.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    body: bytes

    @classmethod
    def from_message(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """Read a message of the bus.

        Raises:
            EventMalformed: a header is missing or no time.
        """
        missing = [name for name in _REQUIRED if name not in headers]
        if missing:
            raise EventMalformed(f"missing headers: {', '.join(missing)}")
        try:
            time = datetime.fromisoformat(headers["ce-time"])
        except ValueError as error:
            raise EventMalformed("ce-time is no RFC 3339 time") from error
        return cls(
            id=headers["ce-id"],
            type=headers["ce-type"],
            source=headers["ce-source"],
            subject=headers.get("ce-subject", ""),
            time=time,
            body=body,
        )
