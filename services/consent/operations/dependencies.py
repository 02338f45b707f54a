"""Dependencies of the operations: the one bag of what they are handed."""

from dataclasses import dataclass, field

from services.chassis.clock import Clock
from services.chassis.limits.allowance import DailyLimit
from services.chassis.metrics import Measurements
from services.consent.domain.policy import Policy
from services.consent.ports import ChangeFeed, ConsentStore, NoticeStore, PurposeKeys, ReceiptSigner


@dataclass(frozen=True)
class Dependencies:
    """What the operations of consent stand on.

    Attributes:
        store: Decisions of persons.
        withdrawals: The same, over connections that nothing but withdrawals uses.
        notices: Notices, policies, and records of notices shown.
        policy: The policy in force.
        keys: The keys of purposes, held by the retention service.
        feed: News of changes.
        signer: Signs receipts.
        clock: What time it is.
        servings_a_day: Notices that a person may be shown.
        decisions_a_day: Decisions that a person may make; withdrawing is never limited.
        measurements: Counts what is decided.
    """

    store: ConsentStore
    withdrawals: ConsentStore
    notices: NoticeStore
    policy: Policy
    keys: PurposeKeys
    feed: ChangeFeed
    signer: ReceiptSigner
    clock: Clock
    servings_a_day: DailyLimit
    decisions_a_day: DailyLimit
    measurements: Measurements = field(default_factory=Measurements)
