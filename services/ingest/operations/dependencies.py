"""Dependencies of the use cases: stores, keys and rules, put together once by the process."""

from dataclasses import dataclass, field

from services.chassis.changes.feed import ChangeFeed, Wakes
from services.chassis.clock import Clock
from services.chassis.limits.allowance import DailyAllowance
from services.chassis.limits.fair_turns import FairTurns
from services.chassis.metrics import Measurements
from services.chassis.object_store import ObjectStore
from services.ingest.domain.policy import Policy
from services.ingest.operations.background import BackgroundWork
from services.ingest.operations.key_pool import KeyPool
from services.ingest.operations.lookup_keys import LookupKeys
from services.ingest.operations.upload_memory import UploadMemory
from services.ingest.operations.writers import Writers
from services.ingest.ports import Codec, DeviceTable, Erasures, MediaTable, Requests, Uploads
from services.ingest.ports.missing import MissingMedia
from services.keyring import Keyring

STEPS_AT_ONCE = 32
"""Steps of uploads that are worked on at the same time: beginnings, chunks, commits and ends of streams."""

SHARED_STEPS = 4
"""Of these those of one person, while others upload as well."""


@dataclass(frozen=True)
class Dependencies:
    """What every use case is handed."""

    uploads: Uploads
    media: MediaTable
    missing: MissingMedia
    devices: DeviceTable
    requests: Requests
    lookup_keys: LookupKeys
    key_pool: KeyPool
    keyring: Keyring
    erasures: Erasures
    objects: ObjectStore
    change_feed: ChangeFeed
    wakes: Wakes
    codec: Codec
    clock: Clock
    uploads_a_day: DailyAllowance
    policy: Policy = field(default_factory=Policy)
    background: BackgroundWork = field(default_factory=BackgroundWork)
    writers: Writers = field(default_factory=Writers)
    memory: UploadMemory = field(default_factory=UploadMemory)
    steps: FairTurns = field(default_factory=lambda: FairTurns(STEPS_AT_ONCE, shared=SHARED_STEPS))
    measurements: Measurements = field(default_factory=Measurements)
