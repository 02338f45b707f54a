"""Faults of the journal: what keeps a service closed, each with what an operator can do."""

from typing import Self

from services.chassis.errors import DependencyUnavailable

_REMEDY = "bring it back, or say that the loss is accepted: pellicule journal accept-loss"


class RecordUnreadable(Exception):
    """Bytes that are no record of this release."""

    @classmethod
    def because(cls, why: Exception) -> Self:
        """Return the error with what was wrong."""
        return cls(f"{type(why).__name__}: {why}")


class OpeningRefused(Exception):
    """What has to hold before a service opens does not, and no waiting mends it: the process ends with the message."""


class JournalMissing(DependencyUnavailable):
    """There is no journal, and this database never saw one."""

    @classmethod
    def yet(cls) -> Self:
        """Return the error of a service that starts before retention has begun the journal."""
        return cls("journal: it has not begun; retention begins it", metadata={"dependency": "journal"})


class JournalLost(DependencyUnavailable):
    """The journal does not hold what this database has seen of it."""

    @classmethod
    def after(cls, journal: str, number: int) -> Self:
        """Return the error with what was seen."""
        return cls(
            f"journal {journal}: record {number}, which this database has seen, is not there: {_REMEDY} {journal}",
            metadata={"dependency": "journal", "journal": journal, "number": str(number)},
        )


class JournalDamaged(DependencyUnavailable):
    """A record is missing in the middle, cut off or altered, or of a later release."""

    @classmethod
    def at(cls, journal: str, number: int, why: str) -> Self:
        """Return the error with the record's number."""
        return cls(
            f"journal {journal}: record {number} is {why}: {_REMEDY} {journal}",
            metadata={"dependency": "journal", "journal": journal, "number": str(number)},
        )


class JournalClosed(DependencyUnavailable):
    """This service opens nothing before it has replayed the journal."""

    @classmethod
    def because(cls, why: str) -> Self:
        """Return the error of a call that comes meanwhile."""
        return cls(f"closed until the journal of destructions is replayed: {why}", metadata={"dependency": "journal"})
