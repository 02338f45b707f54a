"""Transactions whose answer is lost between the server and the driver: books and keys agree, whichever it was."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

import grpc
import pytest
from psycopg import OperationalError
from pydantic import SecretStr

from pellicule.consent.v1 import consent_service_pb2
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, open_pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.messaging.bus import Bus
from services.consent.errors import KeyServiceSilent
from services.consent.operations.decide import decide
from services.consent.operations.purge import execute
from services.consent.operations.reconcile import reconcile_person
from services.consent.operations.withdraw import withdraw
from services.consent.ports import PurposeKeys
from services.consent.translation import requests
from services.keyring import DataKey, NewDataKey, PurgeCause, PurgeOrder, PurposeNotGranted, PurposeScope, SubjectScope
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.integration.consent.harness import Harness, Person, Retention, RunningConsent, number, running_consent

COMMIT = b"COMMIT"
CLOUD, LOCATION, FACES = "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING"
GRANTED = {CLOUD: "GIVEN", LOCATION: "GIVEN"}
WITHDRAWN = {CLOUD: "WITHDRAWN", LOCATION: "WITHDRAWN"}
LATER = 1000
"""A revision that these books do not know: they came from a copy."""

Step = Callable[[], Awaitable[object]]
Prepared = Callable[[Person], Awaitable[Step]]


@dataclass(frozen=True)
class LostAnswers:
    """The service behind a network that loses the answer of one transaction."""

    consent: RunningConsent
    network: FaultyNetwork

    async def each(self, prepare: Prepared) -> AsyncIterator[Person]:
        """Yield a person for each transaction of a step, after the step went on without that one's answer."""
        for answered in count():
            person = self.consent.person()
            step = await prepare(person)
            self.network.lose_answer(COMMIT, after=answered)
            await step()
            lost = self.network.has_lost
            self.network.lose_nothing()
            yield person
            if not lost:
                assert answered > 0, "no transaction was met"
                return

    async def agree(self, person: Person) -> dict[str, str]:
        """Make sure that what is granted has a key, and nothing else has; return where the purposes stand."""
        state = await person.state()
        keys = {purpose: await person.can_seal(purpose) for purpose in (CLOUD, LOCATION, FACES)}
        assert keys == {purpose: state.get(purpose) == "GIVEN" for purpose in keys}
        return state

    async def seal(self, person: Person, purpose: str = CLOUD) -> DataKey:
        """Return a key that something was sealed under."""
        wanted = NewDataKey(delete_by=SystemClock().now() + timedelta(days=1), lineage=(f"media/{uuid4()}",))
        [key] = await self.consent.keyring.create(subject=person.subject, purpose=purpose, keys=[wanted])
        return key

    async def opens(self, person: Person, key: DataKey, purpose: str = CLOUD) -> bool:
        """Tell whether what was sealed can be opened."""
        try:
            return bool(await self.consent.keyring.open(subject=person.subject, purpose=purpose, ids=[key.id]))
        except PurposeNotGranted:
            return False


class LossyKeys:
    """The keys of retention, whose answers stop: what is asked for then is done, or it is not."""

    def __init__(self, keys: PurposeKeys, *, answers: int, does: bool) -> None:
        self._keys = keys
        self._answers = answers
        self._does = does

    async def grant(
        self,
        *,
        subject: str,
        purpose: str,
        revision: int,
        expire_time: datetime,
        decide_time: datetime,
        reach_back_time: datetime | None = None,
    ) -> int:
        return await self._answered(
            lambda: self._keys.grant(
                subject=subject,
                purpose=purpose,
                revision=revision,
                expire_time=expire_time,
                decide_time=decide_time,
                reach_back_time=reach_back_time,
            )
        )

    async def destroy(self, *, subject: str, purposes: Sequence[str], revision: int) -> int:
        return await self._answered(lambda: self._keys.destroy(subject=subject, purposes=purposes, revision=revision))

    async def lives(self, *, subject: str, purpose: str) -> bool:
        return await self._keys.lives(subject=subject, purpose=purpose)

    async def _answered(self, call: Callable[[], Awaitable[int]]) -> int:
        if self._answers:
            self._answers -= 1
            return await call()
        if self._does:
            await call()
        raise DependencyUnavailable.of("retention")


@pytest.fixture
async def lost(harness: Harness, running_retention: Retention, pool: Pool, bus: Bus) -> AsyncIterator[LostAnswers]:
    settings = harness.settings()
    url = settings.database_url.get_secret_value()
    async with faulty_network(port_of(url)) as network:
        behind = settings.model_copy(update={"database_url": SecretStr(through(url, network))})
        async with open_pool(behind) as lossy, running_consent(harness, lossy, bus, behind) as consent:
            yield LostAnswers(consent, network)


def again(call: Callable[[], Awaitable[object]]) -> Step:
    """Return a call that is repeated as a client does, once, when it is not answered."""

    async def called() -> None:
        if not await is_answered(call):
            await call()

    return called


def once(call: Callable[[], Awaitable[object]]) -> Step:
    """Return a call that is not repeated."""
    return lambda: is_answered(call)


async def is_answered(call: Callable[[], Awaitable[object]]) -> bool:
    """Tell whether a call is answered; who is not may call again."""
    try:
        await call()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return False
    except OperationalError:
        return False
    return True


class TestCallsThatComeAgain:
    async def test_what_is_granted_has_its_keys(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            request = await person.decision(grant=(CLOUD, LOCATION))
            return again(lambda: person.decide(request))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == GRANTED
            assert len((await person.events()).events) == 2

    async def test_what_is_renewed_keeps_what_was_sealed(self, lost: LostAnswers) -> None:
        sealed = []

        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD)
            sealed.append(await lost.seal(person))
            request = await person.decision(grant=(CLOUD, LOCATION))
            return again(lambda: person.decide(request))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == GRANTED
            assert await lost.opens(person, sealed[-1])

    async def test_what_is_refused_after_all_has_no_key(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            request = await person.decision(refuse=(CLOUD,))
            return again(lambda: person.decide(request))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN

    async def test_what_is_withdrawn_has_no_key(self, lost: LostAnswers) -> None:
        sealed = []

        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            sealed.append(await lost.seal(person))
            request_id = str(uuid4())
            return again(lambda: person.withdraw(CLOUD, request_id=request_id))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN
            assert not await lost.opens(person, sealed[-1])
            assert len((await person.events()).events) == 4

    async def test_a_decision_on_books_that_are_behind_keeps_what_was_granted(self, lost: LostAnswers) -> None:
        sealed = []

        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD)
            sealed.append(await lost.seal(person))
            await lost.consent.dependencies.keys.destroy(subject=person.subject, purposes=[LOCATION], revision=LATER)
            request = await person.decision(grant=(CLOUD, LOCATION))
            return again(lambda: person.decide(request))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == GRANTED
            assert await lost.opens(person, sealed[-1])

    async def test_a_withdrawal_on_books_that_are_behind_is_done(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            await lost.consent.dependencies.keys.destroy(subject=person.subject, purposes=[FACES], revision=LATER)
            request_id = str(uuid4())
            return again(lambda: person.withdraw(CLOUD, request_id=request_id))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN


class TestCallsThatDoNotComeAgain:
    async def test_a_decision_is_true_or_leaves_no_key(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            request = await person.decision(grant=(CLOUD, LOCATION))
            return once(lambda: person.decide(request))

        async for person in lost.each(prepare):
            await reconcile_person(person.subject, lost.consent.dependencies)
            assert await lost.agree(person) in ({}, GRANTED)

    async def test_a_renewal_is_true_or_leaves_all_as_it_was(self, lost: LostAnswers) -> None:
        sealed = []

        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD)
            sealed.append(await lost.seal(person))
            request = await person.decision(grant=(CLOUD, LOCATION))
            return once(lambda: person.decide(request))

        async for person in lost.each(prepare):
            await reconcile_person(person.subject, lost.consent.dependencies)
            assert await lost.agree(person) in ({CLOUD: "GIVEN"}, GRANTED)
            assert await lost.opens(person, sealed[-1])

    async def test_a_withdrawal_that_was_written_down_is_done(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            return once(lambda: person.withdraw(CLOUD))

        async for person in lost.each(prepare):
            await reconcile_person(person.subject, lost.consent.dependencies)
            assert await lost.agree(person) in (GRANTED, WITHDRAWN)


@pytest.mark.parametrize("done", [False, True])
class TestInterruptions:
    """Retention does not answer first, and then the database loses an answer."""

    async def test_an_interrupted_decision_that_comes_again_is_true(self, lost: LostAnswers, done: bool) -> None:
        async def prepare(person: Person) -> Step:
            request = await interrupted_decision(lost, person, done)
            return again(lambda: person.decide(request))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == GRANTED

    async def test_an_interrupted_decision_that_does_not_come_again_leaves_all_as_it_was(
        self, lost: LostAnswers, done: bool
    ) -> None:
        sealed = []

        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD)
            sealed.append(await lost.seal(person))
            await interrupted_decision(lost, person, done)
            return again(lambda: reconcile_person(person.subject, lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == {CLOUD: "GIVEN"}
            assert await lost.opens(person, sealed[-1])

    async def test_an_interrupted_withdrawal_is_done(self, lost: LostAnswers, done: bool) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            request_id = await interrupted_withdrawal(lost, person, done)
            return again(lambda: person.withdraw(CLOUD, request_id=request_id))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN
            assert len((await person.events()).events) == 4

    async def test_an_interrupted_withdrawal_that_does_not_come_again_is_done(
        self, lost: LostAnswers, done: bool
    ) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            await interrupted_withdrawal(lost, person, done)
            return again(lambda: reconcile_person(person.subject, lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN


class TestWhatNobodyAskedFor:
    async def test_what_has_run_out_has_no_key(self, lost: LostAnswers, pool: Pool) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, FACES)
            await run_out(pool)
            return again(lambda: reconcile_person(person.subject, lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == {CLOUD: "GIVEN", FACES: "EXPIRED"}

    async def test_an_erasure_ends_what_was_granted(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            erased = SubjectScope(LATER, SystemClock().now(), account=False)
            return again(lambda: execute(order(person, PurgeCause.ERASURE, erased), lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == WITHDRAWN

    async def test_the_end_of_an_account_leaves_nothing(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD)
            await lost.consent.dependencies.keys.destroy(subject=person.subject, purposes=[CLOUD], revision=LATER)
            ended = SubjectScope(LATER, SystemClock().now(), account=True)
            return again(lambda: execute(order(person, PurgeCause.ERASURE, ended), lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == {}

    async def test_a_lost_key_ends_its_grant(self, lost: LostAnswers) -> None:
        async def prepare(person: Person) -> Step:
            await person.grant(CLOUD, LOCATION)
            await lost.consent.dependencies.keys.destroy(subject=person.subject, purposes=[LOCATION], revision=LATER)
            gone = order(person, PurgeCause.KEY_LOST, PurposeScope(LOCATION, LATER))
            return again(lambda: execute(gone, lost.consent.dependencies))

        async for person in lost.each(prepare):
            assert await lost.agree(person) == {CLOUD: "GIVEN", LOCATION: "KEY_LOST"}


async def interrupted_decision(
    lost: LostAnswers, person: Person, done: bool
) -> consent_service_pb2.DecideConsentRequest:
    """Return a decision of which retention has answered the first grant alone."""
    request = await person.decision(grant=(CLOUD, LOCATION))
    dependencies = lost.consent.dependencies
    silent = replace(dependencies, keys=LossyKeys(dependencies.keys, answers=1, does=done))
    with pytest.raises(KeyServiceSilent):
        await decide(requests.decision_request(request), person.subject, silent)
    return request


async def interrupted_withdrawal(lost: LostAnswers, person: Person, done: bool) -> str:
    """Return the id of a withdrawal that retention has not answered."""
    message = consent_service_pb2.WithdrawConsentRequest(request_id=str(uuid4()), purposes=[number(CLOUD)])
    call, purposes = requests.withdrawal(message)
    dependencies = lost.consent.dependencies
    silent = replace(dependencies, keys=LossyKeys(dependencies.keys, answers=0, does=done))
    with pytest.raises(KeyServiceSilent):
        await withdraw(call, purposes, person.subject, silent)
    return message.request_id


async def run_out(pool: Pool) -> None:
    """Let all grants of FACE_GROUPING end now."""
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE consent_event DISABLE TRIGGER consent_event_append_only")
        await connection.execute("UPDATE consent_event SET expire_time = now() WHERE purpose = 'FACE_GROUPING'")
        await connection.execute("ALTER TABLE consent_event ENABLE TRIGGER consent_event_append_only")


def order(person: Person, cause: PurgeCause, scope: SubjectScope | PurposeScope) -> PurgeOrder:
    return PurgeOrder(f"purgeOrders/{uuid4()}", person.subject, cause, scope, SystemClock().now())
