"""IPTC (IIM 4.2) in Photoshop's image resources: when a picture was created."""

from collections.abc import Iterator
from typing import Final

JPEG_PREFIX: Final = b"Photoshop 3.0\0"
"""What JPEG's APP13 begins with if image resources follow."""
_RESOURCE: Final = b"8BIM"
_IIM: Final = 0x0404
_CREATED: Final = ((55, 60), (62, 63))
_MAX_RECORDS: Final = 10_000


def creation_times(block: bytes | None) -> list[str]:
    """Return date and time of the creation, then of the digitisation, as far as they are there; never raises.

    Args:
        block: image resources, or the records alone.
    """
    records: dict[int, str] = {}
    for number, value in _records(_iim(block or b"")):
        records.setdefault(number, value)
    return [f"{records[date]} {records.get(time, '')}".strip() for date, time in _CREATED if records.get(date)]


def _iim(block: bytes) -> bytes:
    """Return the records; a block that does not begin with a resource is taken for records."""
    if not block.startswith(_RESOURCE):
        return block
    place = 0
    for _ in range(_MAX_RECORDS):
        if block[place : place + 4] != _RESOURCE:
            break
        number, name = int.from_bytes(block[place + 4 : place + 6], "big"), block[place + 6 : place + 7]
        # A name has its length before it, and is padded with it to an even number of bytes.
        place += 6 + (1 + (name[0] if name else 0) + 1) // 2 * 2
        size = int.from_bytes(block[place : place + 4], "big")
        place += 4
        if number == _IIM:
            return block[place : place + size]
        place += size + size % 2
    return b""


def _records(iim: bytes) -> Iterator[tuple[int, str]]:
    place = 0
    for _ in range(_MAX_RECORDS):
        head = iim[place : place + 5]
        if len(head) < 5 or head[0] != 0x1C or head[3] & 0x80:
            return
        size = int.from_bytes(head[3:], "big")
        if head[1] == 2:
            yield head[2], iim[place + 5 : place + 5 + size].decode("latin-1").strip("\0 ")[:40]
        place += 5 + size
