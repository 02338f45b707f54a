"""One bag of what the use cases are handed."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.chassis.changes.feed import ChangeFeed
from services.chassis.clock import Clock
from services.chassis.metrics import Measurements
from services.chassis.object_store import ObjectStore
from services.keyring import Keyring
from services.suggestion.domain.policy import Policy
from services.suggestion.drawing import rendering
from services.suggestion.drawing.rendering import Draw
from services.suggestion.operations.cleanup import Cleanup
from services.suggestion.ports import Analysis, Database


@dataclass(frozen=True)
class Dependencies:
    """Everything that the use cases need from outside; `bucket` holds the renditions."""

    database: Database
    analysis: Analysis
    keyring: Keyring
    objects: ObjectStore
    change_feed: ChangeFeed
    bucket: str
    policy: Policy
    clock: Clock
    cleanup: Cleanup = field(default_factory=Cleanup)
    draw: Draw = rendering.draw
    measurements: Measurements = field(default_factory=Measurements)
