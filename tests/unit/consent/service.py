"""The consent service without its servers: real operations on fakes."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import services.consent
from services.consent import noticing, operations, settlement
from services.consent.decisions import Request
from services.consent.domain import Age, AgeBand, Basis, Choice, Decision, Jurisdiction, Purpose, Status
from services.consent.notice import read_notices
from services.consent.operations import Answer, Asked
from services.consent.policy import read_policy
from services.consent.worker import Worker
from tests.fakes.clock import FakeClock
from tests.fakes.consent import FakeConsentStore, FakePurposeKeys

FOLDER = Path(services.consent.__file__).parent
ADA = "a" * 32
BOB = "b" * 32
CALIFORNIA = Jurisdiction("US-CA", Basis.SELF_DECLARED)
OF_AGE = Age(AgeBand.ADULT, Basis.SELF_DECLARED)


RELEASED = cache(lambda: read_notices(FOLDER / "notices"))
POLICY = cache(lambda: read_policy(FOLDER / "policy.yaml"))


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
        self.worker = Worker(self.store, self.keys, self.clock)
        self.notice = ""

    async def open(self) -> None:
        await noticing.publish(RELEASED(), self.policy, store=self.notices, clock=self.clock)
        self.notice = (await self.notices.current()).notice.digest

    async def show(self, subject: str = ADA, notice: str | None = None) -> UUID:
        shown = noticing.Shown(request(), notice or self.notice, "fr", "cli", "0.1.0", "f" * 64)
        serving = await noticing.record_served(shown, subject=subject, store=self.notices, clock=self.clock)
        return serving.id

    async def ask(self, *decisions: Decision, subject: str = ADA) -> Asked:
        return Asked(
            request=request(),
            notice=self.notice,
            serving=await self.show(subject),
            decisions=decisions,
            jurisdiction=CALIFORNIA,
            age=OF_AGE,
        )

    async def decide(self, *decisions: Decision, subject: str = ADA) -> Answer:
        return await self.answer(await self.ask(*decisions, subject=subject), subject=subject)

    async def answer(self, asked: Asked, *, subject: str = ADA) -> Answer:
        return await operations.decide(
            asked,
            subject=subject,
            store=self.store,
            notices=self.notices,
            policy=self.policy,
            keys=self.keys,
            clock=self.clock,
        )

    async def grant(self, *purposes: Purpose, subject: str = ADA) -> Answer:
        return await self.decide(*grants(*purposes), subject=subject)

    async def withdraw(self, *purposes: Purpose, subject: str = ADA, call: Request | None = None) -> Answer:
        return await operations.withdraw(
            call or request(), purposes, subject=subject, store=self.store, keys=self.keys, clock=self.clock
        )

    async def purge(self, erase_time: datetime, subject: str = ADA) -> dict[str, int]:
        return dict(
            await settlement.purge(
                subject=subject, erase_time=erase_time, store=self.store, keys=self.keys, clock=self.clock
            )
        )

    async def standing(self, subject: str = ADA) -> dict[Purpose, Status]:
        state = await operations.state(subject=subject, store=self.store, clock=self.clock)
        return {row.purpose: row.status for row in state.purposes if row.status is not Status.UNASKED}
