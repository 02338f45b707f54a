"""The consent service without its servers: real operations on fakes."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import services.consent
from services.chassis.failed_work.turns import Turns
from services.chassis.limits.allowance import DailyLimit
from services.consent.domain.change import Request
from services.consent.domain.consent import Age, AgeBand, Basis, Choice, Decision, Jurisdiction, Status
from services.consent.domain.history import DecisionResult
from services.consent.domain.notice import Notice, NoticeDisplay, Surface
from services.consent.notices.notice_files import read_notices, reopen_notice
from services.consent.notices.policy_file import read_policy
from services.consent.operations import purge, sweep
from services.consent.operations.decide import DecisionRequest, decide
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.publish_notices import publish_notices
from services.consent.operations.read_state import read_state
from services.consent.operations.record_serving import record_serving
from services.consent.operations.withdraw import withdraw
from services.consent.receipts.signer import Ed25519Signer
from services.keyring import PurgeOrder, Purpose
from tests.fakes.clock import FakeClock
from tests.fakes.consent import FakeConsentStore, FakePurposeKeys
from tests.fakes.set_aside import FakeSetAside

FOLDER = Path(services.consent.__file__).parent
ADA = "a" * 32
BOB = "b" * 32
CALIFORNIA = Jurisdiction("US-CA", Basis.SELF_DECLARED)
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OF_AGE = Age(AgeBand.ADULT, Basis.SELF_DECLARED)


POLICY = cache(lambda: read_policy(FOLDER / "notices" / "policy.yaml"))
RELEASED = cache(lambda: read_notices(FOLDER / "notices", POLICY().offered))


def next_edition(notice: Notice) -> Notice:
    """Return a notice with the same words of an edition after all others."""
    edition = f'"edition":"{notice.bundle.edition}"'.encode()
    return reopen_notice(notice.canonical_json.replace(edition, b'"edition":"9999-01-01"'))


def request(sha256: str = "1" * 64, request_id: UUID | None = None) -> Request:
    return Request(request_id or uuid4(), sha256)


def grants(*purposes: Purpose) -> tuple[Decision, ...]:
    return tuple(Decision(purpose, Choice.GRANT) for purpose in purposes)


def refusals(*purposes: Purpose) -> tuple[Decision, ...]:
    return tuple(Decision(purpose, Choice.REFUSE) for purpose in purposes)


@dataclass
class Service:
    """The consent service without its servers."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeConsentStore = field(default_factory=FakeConsentStore)
    keys: FakePurposeKeys = field(default_factory=FakePurposeKeys)

    def __post_init__(self) -> None:
        self.policy = POLICY()
        self.notices = self.store.notice_store
        self.dependencies = Dependencies(
            store=self.store,
            withdrawals=self.store,
            notices=self.notices,
            policy=self.policy,
            keys=self.keys,
            feed=self.store.feed,
            signer=Ed25519Signer(SIGNING_KEY),
            clock=self.clock,
            servings_a_day=DailyLimit("notices shown", 1000),
            decisions_a_day=DailyLimit("decisions", 1000),
        )
        self.set_aside = FakeSetAside()
        self.turns = Turns("person", self.set_aside, self.clock)
        self.notice = ""

    async def open(self) -> None:
        await publish_notices(RELEASED(), self.dependencies)
        self.notice = (await self.notices.current()).notice.digest

    async def show(self, subject: str = ADA, notice: str | None = None) -> UUID:
        display = NoticeDisplay(request(), notice or self.notice, "fr", Surface.CLI, "0.1.0", "f" * 64)
        return (await record_serving(display, subject, self.dependencies)).id

    async def ask(self, *decisions: Decision, subject: str = ADA) -> DecisionRequest:
        return DecisionRequest(
            request=request(),
            notice=self.notice,
            serving=await self.show(subject),
            decisions=decisions,
            jurisdiction=CALIFORNIA,
            age=OF_AGE,
        )

    async def decide(self, *decisions: Decision, subject: str = ADA) -> DecisionResult:
        return await self.send(await self.ask(*decisions, subject=subject), subject=subject)

    async def send(self, wanted: DecisionRequest, *, subject: str = ADA) -> DecisionResult:
        return await decide(wanted, subject, self.dependencies)

    async def grant(self, *purposes: Purpose, subject: str = ADA) -> DecisionResult:
        return await self.decide(*grants(*purposes), subject=subject)

    async def withdraw(self, *purposes: Purpose, subject: str = ADA, call: Request | None = None) -> DecisionResult:
        return await withdraw(call or request(), purposes, subject, self.dependencies)

    async def sweep(self) -> int:
        return await sweep.end_interrupted_changes(self.turns, self.dependencies)

    async def expire(self) -> int:
        return await sweep.expire_grants(self.turns, self.dependencies)

    async def purge(self, order: PurgeOrder) -> dict[str, int]:
        return dict(await purge.execute(order, self.dependencies))

    async def standing(self, subject: str = ADA) -> dict[Purpose, Status]:
        state = await read_state(subject, self.dependencies)
        return {row.purpose: row.status for row in state.purposes if row.status is not Status.UNASKED}
