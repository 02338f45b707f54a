"""Roster: the services, and what each may touch; the one table that a new service is added to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

ObjectStoreChoice: TypeAlias = Literal["seaweedfs", "minio"]
"""The S3 servers that a stack can have."""


@dataclass(frozen=True)
class Entry:
    """One service.

    Attributes:
        writes: Buckets whose objects it may read, write, delete and list.
        reads: Buckets that it may only read.
        hears: Its consumers on the streams of other services, each as `STREAM.consumer`.
        calls: Services whose internal address it is told, each as `PELLICULE_<NAME>_TARGET`.
        infers: Whether it is told where Triton is.
        niceness: By how much it yields the processor to the others, 0 to 19: work that no caller waits for lets an
            upload go first, and takes whatever is left.
    """

    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    infers: bool = False
    niceness: int = 0

    @property
    def stores_objects(self) -> bool:
        """Whether it has an identity at the object store."""
        return bool(self.writes or self.reads)


ROSTER: Mapping[str, Entry] = {
    "retention": Entry(),
    "consent": Entry(hears=("RETENTION.consent-purge",), calls=("retention",)),
    "ingest": Entry(
        writes=("media",), hears=("RETENTION.ingest-purge", "SUGGESTION.ingest-saved"), calls=("retention",)
    ),
    "analysis": Entry(
        writes=("previews",),
        reads=("media",),
        hears=("RETENTION.analysis-purge", "INGEST.analysis-media", "CONSENT.analysis-consent"),
        calls=("retention",),
        infers=True,
        niceness=5,
    ),
    "suggestion": Entry(
        writes=("renditions",),
        hears=("RETENTION.suggestion-purge", "ANALYSIS.suggestion-analyzed"),
        calls=("retention", "analysis"),
        niceness=5,
    ),
}

SERVICES = tuple(ROSTER)
BUCKETS = tuple(bucket for entry in ROSTER.values() for bucket in entry.writes)
