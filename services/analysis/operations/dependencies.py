"""One bag of what use cases are handed, filled once in the composition root."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.analysis.domain.findings import Metadata
from services.analysis.domain.model_set import ModelSet
from services.analysis.ports import Library, MetadataTable, Purge, Work
from services.analysis.vision.pipeline import VisionModels
from services.chassis.clock import Clock
from services.chassis.metrics import Measurements
from services.chassis.object_store import ObjectStore
from services.keyring import Keyring


@dataclass(frozen=True)
class Buckets:
    """Names of the buckets: ingest's originals, and our own previews."""

    media: str = "media"
    previews: str = "previews"


@dataclass(frozen=True)
class Dependencies:
    """Everything that use cases reach for.

    Attributes:
        work: What is due.
        metadata: What owners change of their media.
        library: What is stored.
        purge: How it is deleted.
        keyring: Keys.
        objects: Sealed objects.
        buckets: Where they are.
        vision: Models and threads.
        models: Identities of the models.
        read_metadata: Reads ingest's message.
        clock: The process's clock.
        measurements: Counts what comes of attempts.
    """

    work: Work
    metadata: MetadataTable
    library: Library
    purge: Purge
    keyring: Keyring
    objects: ObjectStore
    buckets: Buckets
    vision: VisionModels
    models: ModelSet
    read_metadata: Callable[[bytes], Metadata]
    clock: Clock
    measurements: Measurements = field(default_factory=Measurements)
