"""Share of the store that one person has: bytes, and rows, each of which counts for some bytes."""

from dataclasses import dataclass, replace

ROW_BYTES = 4096
"""What a row counts for: about what it takes with its indexes, and with what other services write for it."""

MARGIN_BYTES = 256 * 1024**2
"""Deletions and marks may go so far beyond a share that is used up: 65,536 rows."""

MOST_EVENTS = 10_000
"""Changes of a person's media that are not told to the other services yet."""


@dataclass(frozen=True)
class Used:
    """What is taken of a share.

    Attributes:
        size_bytes: Plain bytes of media, and those announced by open uploads.
        row_count: Rows of uploads, media, deletions and requests.
    """

    size_bytes: int = 0
    row_count: int = 0


@dataclass(frozen=True)
class Quota:
    """The share.

    Attributes:
        size_bytes: How much.
        row_bytes: What each row counts for.
    """

    size_bytes: int
    row_bytes: int = ROW_BYTES

    @property
    def with_margin(self) -> "Quota":
        """What deletions and marks may take."""
        return replace(self, size_bytes=self.size_bytes + MARGIN_BYTES)

    def taken(self, used: Used) -> int:
        """Return how many bytes of the share are taken."""
        return used.size_bytes + used.row_count * self.row_bytes

    def has_room(self, used: Used, size_bytes: int = 0) -> bool:
        """Tells whether one more row, and so many bytes, may come in."""
        return self.taken(used) + size_bytes + self.row_bytes <= self.size_bytes
