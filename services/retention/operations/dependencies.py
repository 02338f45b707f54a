"""Dependencies of the operations: the one bag of what they are handed."""

from dataclasses import dataclass, field

from services.chassis.clock import Clock
from services.chassis.metrics import Measurements
from services.retention.domain.data_map import DataMap
from services.retention.ports import DestructionJournal, EpochKeys, RevocationFeed, Store


@dataclass(frozen=True)
class Dependencies:
    """What the operations of retention stand on.

    Attributes:
        store: The database.
        epoch_keys: The keys above the purpose keys.
        revocations: News of what is destroyed.
        journal: Where destructions are written down, outside the database.
        data_map: Every place where anything is kept.
        clock: What time it is.
        longest_days: The longest time that anything may be kept.
        lost_epochs: Epochs that an operator has given up.
        measurements: Takes down how long destructions take.
    """

    store: Store
    epoch_keys: EpochKeys
    revocations: RevocationFeed
    journal: DestructionJournal
    data_map: DataMap
    clock: Clock
    longest_days: int
    lost_epochs: frozenset[str] = frozenset()
    measurements: Measurements = field(default_factory=Measurements)
