"""Devices of a person: what a device says of itself, and its name."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

MOST_DEVICES = 100
"""Devices of a person, those that were revoked not counted."""
KEPT_PER_DEVICE = 10
"""How many times as many there are at most with those that were revoked, which are remembered."""


class DevicePlatform(StrEnum):
    """What kind of device it is."""

    UNSPECIFIED = "UNSPECIFIED"
    IOS = "IOS"
    ANDROID = "ANDROID"
    WEB = "WEB"
    OTHER = "OTHER"


@dataclass(frozen=True)
class DeviceDescription:
    """What a device says of itself; only ever stored sealed.

    Attributes:
        display_name: As its owner calls it.
        platform: What kind it is.
        build: Of the app on it.
        push_token: Where to push notices to; empty for none.
    """

    display_name: str = ""
    platform: DevicePlatform = DevicePlatform.UNSPECIFIED
    build: str = ""
    push_token: str = field(default="", repr=False)

    def to_bytes(self) -> bytes:
        """Return it in the form in which it is sealed."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        row = json.loads(data)
        return cls(**{**row, "platform": DevicePlatform(row["platform"])})


@dataclass(frozen=True)
class Device:
    """A device as its owner sees it.

    Attributes:
        id: Its name's UUID, made by the app.
        description: What it said of itself; nothing of one that was revoked.
        create_time: When it was registered first.
        last_seen_time: When it last registered, watched or acknowledged, to the hour.
        revoke_time: When its owner revoked it; None while it is not.
    """

    id: UUID
    description: DeviceDescription
    create_time: datetime
    last_seen_time: datetime
    revoke_time: datetime | None = None


def device_name(device_id: UUID) -> str:
    """Return the resource name of a device."""
    return f"devices/{device_id}"


def to_the_hour(time: datetime) -> datetime:
    """Return the hour that a time is in: more would tell when its owner is awake."""
    return time.replace(minute=0, second=0, microsecond=0)
