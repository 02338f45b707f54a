"""What the work is done with, put together once in the composition root."""

from collections.abc import Callable
from dataclasses import dataclass

from services.analysis.domain import ModelSet
from services.analysis.findings import Metadata
from services.analysis.ports import Library, Purging, Work
from services.analysis.understanding import Eyes
from services.chassis.clock import Clock
from services.chassis.object_store import ObjectStore
from services.keyring import Keyring


@dataclass(frozen=True)
class Buckets:
    """Names of the buckets: ingest's originals, and our own reduced copies."""

    media: str = "media"
    previews: str = "previews"


@dataclass(frozen=True)
class Tools:
    """Everything that the worker reaches for.

    Attributes:
        work: What is due.
        library: What is stored.
        purging: How it is deleted.
        keyring: Keys.
        objects: Sealed objects.
        buckets: Where they are.
        eyes: Models and threads.
        models: Identities of the models.
        read_metadata: Reads ingest's message.
        clock: The process's clock.
    """

    work: Work
    library: Library
    purging: Purging
    keyring: Keyring
    objects: ObjectStore
    buckets: Buckets
    eyes: Eyes
    models: ModelSet
    read_metadata: Callable[[bytes], Metadata]
    clock: Clock
