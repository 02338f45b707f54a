"""What becomes of consent while retention is down, after a crash, and after an erasure."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from pellicule.consent.v1 import consent_pb2
from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.retention.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    retention_service_pb2,
    retention_service_pb2_grpc,
)
from services.chassis.clock import SystemClock
from services.chassis.database import Connection, Pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.supervision import supervised
from services.consent.__main__ import STREAM
from services.consent.operations.sweep import end_interrupted_changes, expire_grants
from services.retention.epochs.epoch_files import EpochFiles, read_root_key
from tests.integration.consent.harness import Person, Retention, RunningConsent, refusal
from tests.integration.eventually import eventually


@asynccontextmanager
async def _down(retention: Retention) -> AsyncIterator[None]:
    await retention.stop()
    try:
        yield
    finally:
        await retention.start()


async def _age_pending_changes(pool: Pool) -> None:
    """Make changes that were interrupted old enough for the sweep."""
    async with pool.connection() as connection:
        await connection.execute("UPDATE pending_change SET begin_time = begin_time - interval '1 minute'")


async def test_a_withdrawal_while_retention_is_down_is_never_claimed_and_done_by_the_sweep(
    consent: RunningConsent, ada: Person, running_retention: Retention, pool: Pool
) -> None:
    await ada.grant("CLOUD_PROCESSING", "LOCATION")
    async with _down(running_retention):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ada.withdraw("CLOUD_PROCESSING")
        assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN*", "LOCATION": "GIVEN*"}

    await _age_pending_changes(pool)
    assert await end_interrupted_changes(consent.turns, consent.dependencies) == 1

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert refusal(refused.value).reason == "DEPENDENCY_UNAVAILABLE"
    assert refusal(refused.value).metadata["dependency"] == "retention"
    assert "written down" in (refused.value.details() or "")
    assert await ada.state() == {"CLOUD_PROCESSING": "WITHDRAWN", "LOCATION": "WITHDRAWN"}
    assert not await ada.can_seal("LOCATION")


async def test_a_withdrawal_called_again_after_the_outage_is_answered_in_full(
    ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING")
    request_id = str(uuid4())
    async with _down(running_retention):
        with pytest.raises(grpc.aio.AioRpcError):
            await ada.withdraw("CLOUD_PROCESSING", request_id=request_id)

    response = await ada.withdraw("CLOUD_PROCESSING", request_id=request_id)

    assert [event.type for event in response.events] == [consent_pb2.CONSENT_EVENT_TYPE_WITHDRAWN]
    assert not await ada.can_seal("CLOUD_PROCESSING")


async def test_nothing_is_granted_while_retention_is_down_nor_afterwards_by_itself(
    consent: RunningConsent, ada: Person, running_retention: Retention, pool: Pool
) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    async with _down(running_retention):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ada.decide(request)
    await _age_pending_changes(pool)
    await end_interrupted_changes(consent.turns, consent.dependencies)

    assert "nothing is granted" in (refused.value.details() or "")
    assert await ada.state() == {}
    assert not await ada.can_seal("CLOUD_PROCESSING")
    await ada.decide(request)
    assert await ada.can_seal("CLOUD_PROCESSING")


def batched(persons: list[Person], size: int) -> list[list[Person]]:
    return [persons[start : start + size] for start in range(0, len(persons), size)]


async def _written_down(pool: Pool) -> int:
    async with pool.connection() as connection:
        return (await connection.execute("SELECT FROM pending_change")).rowcount


async def withdraw(person: Person, request: str) -> bool:
    """Withdraw, and tell whether it is done; otherwise the same request may be made again."""
    try:
        await person.withdraw("CLOUD_PROCESSING", request_id=request)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return False
    return True


async def test_a_hundred_withdrawals_are_written_down_while_retention_hangs_and_reads_go_on(
    consent: RunningConsent, running_retention: Retention, pool: Pool
) -> None:
    persons = [consent.person() for _ in range(100)]
    for some in batched(persons, 20):
        await asyncio.gather(*(person.grant("CLOUD_PROCESSING") for person in some))
    requests = {str(uuid4()): person for person in persons}
    async with running_retention.frozen():
        withdrawals = [asyncio.create_task(withdraw(person, request)) for request, person in requests.items()]
        await eventually(lambda: _written_down(pool), lambda count: count == len(persons))
        states = [await person.state() for person in persons[:10]]
        assert not any(each.done() for each in withdrawals)

    # A hundred at once may find the database busy: they are told to call again, and do.
    done = dict(zip(requests, await asyncio.gather(*withdrawals), strict=True))
    for request in (request for request, is_done in done.items() if not is_done):
        await eventually(partial(withdraw, requests[request], request))
    assert states == [{"CLOUD_PROCESSING": "GIVEN*"}] * 10
    assert [await person.state() for person in persons[:3]] == [{"CLOUD_PROCESSING": "WITHDRAWN"}] * 3
    assert not await persons[-1].can_seal("CLOUD_PROCESSING")


async def test_a_withdrawal_is_written_down_though_no_connection_is_left_and_a_grant_hangs(
    consent: RunningConsent, ada: Person, running_retention: Retention, pool: Pool
) -> None:
    await ada.grant("CLOUD_PROCESSING")
    request = await ada.decision(grant=("LOCATION",))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_retention.frozen())
        granting = asyncio.create_task(ada.decide(request))
        await eventually(lambda: _written_down(pool))
        watching = await stack.enter_async_context(pool.connection())
        await watching.set_autocommit(True)
        for _ in range(pool.max_size - 1):
            await stack.enter_async_context(pool.connection())
        withdrawing = asyncio.create_task(ada.withdraw("CLOUD_PROCESSING"))
        await eventually(lambda: _revision(watching), lambda revision: revision >= 3)

    with pytest.raises(grpc.aio.AioRpcError):
        await granting
    await withdrawing
    assert await ada.state() == {"CLOUD_PROCESSING": "WITHDRAWN"}
    assert not await ada.can_seal("CLOUD_PROCESSING")
    assert not await ada.can_seal("LOCATION")


async def _revision(connection: Connection) -> int:
    row = await (await connection.execute("SELECT max(revision) FROM person")).fetchone()
    return 0 if row is None else row[0]


async def test_refusing_works_while_retention_is_down(ada: Person, running_retention: Retention) -> None:
    request = await ada.decision(refuse=("CLOUD_PROCESSING",))
    async with _down(running_retention):
        await ada.decide(request)

    assert await ada.state() == {"CLOUD_PROCESSING": "REFUSED"}


async def test_a_caller_who_gives_up_half_way_leaves_books_and_keys_in_step(
    consent: RunningConsent, ada: Person, pool: Pool
) -> None:
    await ada.grant("CLOUD_PROCESSING")
    requests = [await ada.decision(grant=("LOCATION",)) for _ in range(8)]

    async def give_up(request_number: int) -> None:
        deciding = asyncio.ensure_future(ada.decide(requests[request_number]))
        await asyncio.wait([deciding], timeout=0.004 * request_number)
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)

    for request_number in range(8):
        await give_up(request_number)
        await ada.withdraw("LOCATION")
        assert not await ada.can_seal("LOCATION")

    await _age_pending_changes(pool)
    await end_interrupted_changes(consent.turns, consent.dependencies)
    assert (await ada.state()).get("LOCATION", "WITHDRAWN") == "WITHDRAWN"
    assert not await ada.can_seal("LOCATION")


async def test_one_person_whose_records_cannot_be_opened_keeps_nobody_from_their_sweep(
    consent: RunningConsent, pool: Pool
) -> None:
    ada, ben = consent.person("ada"), consent.person("ben")
    for person in (ada, ben):
        await person.grant("CLOUD_PROCESSING")
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE person SET wrapped_key = (SELECT wrapped_key FROM person WHERE subject = %s) WHERE subject = %s",
            (ben.subject, ada.subject),
        )
        await connection.execute("ALTER TABLE consent_event DISABLE TRIGGER consent_event_append_only")
        await connection.execute("UPDATE consent_event SET expire_time = now()")
        await connection.execute("ALTER TABLE consent_event ENABLE TRIGGER consent_event_append_only")

    assert await expire_grants(consent.turns, consent.dependencies) == 1

    assert await ben.state() == {"CLOUD_PROCESSING": "EXPIRED"}
    assert [(each.person, each.reason) for each in await PostgresSetAside(pool).all()] == [(ada.subject, "SealBroken")]


async def test_a_grant_ends_when_its_time_is_up(consent: RunningConsent, ada: Person, pool: Pool) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")
    async with pool.connection() as connection:
        await connection.execute("ALTER TABLE consent_event DISABLE TRIGGER consent_event_append_only")
        await connection.execute("UPDATE consent_event SET expire_time = now() WHERE purpose = 'FACE_GROUPING'")
        await connection.execute("ALTER TABLE consent_event ENABLE TRIGGER consent_event_append_only")

    assert await expire_grants(consent.turns, consent.dependencies) == 1

    assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN", "FACE_GROUPING": "EXPIRED"}
    assert not await ada.can_seal("FACE_GROUPING")
    assert await ada.can_seal("CLOUD_PROCESSING")


async def _erase_everything(consent: RunningConsent, person: Person, retention: Retention) -> str:
    ca = consent.harness.authority.issue("phone").ca.read_bytes()
    async with grpc.aio.secure_channel(retention.address, grpc.ssl_channel_credentials(ca)) as channel:
        stub = retention_service_pb2_grpc.RetentionServiceStub(channel)
        request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()), everything=True)
        return (await stub.RequestErasure(request, metadata=person.metadata)).erasure.name


async def _delete_account(consent: RunningConsent, person: Person, retention: Retention) -> None:
    ca = consent.harness.authority.issue("phone").ca.read_bytes()
    async with grpc.aio.secure_channel(retention.address, grpc.ssl_channel_credentials(ca)) as channel:
        stub = account_service_pb2_grpc.AccountServiceStub(channel)
        request = account_service_pb2.RequestAccountDeletionRequest(request_id=str(uuid4()), delay=Duration())
        await stub.RequestAccountDeletion(request, metadata=person.metadata)


async def test_a_deleted_account_leaves_no_row_that_names_the_person(
    consent: RunningConsent, ada: Person, ben: Person, running_retention: Retention, pool: Pool
) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")
    await ben.grant("CLOUD_PROCESSING")
    await _delete_account(consent, ada, running_retention)

    assert await consent.purge.sweep() == 1

    assert await ada.state() == {}
    assert await ben.state() == {"CLOUD_PROCESSING": "GIVEN"}
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM person WHERE subject = %s", [ada.subject])
        assert await cursor.fetchone() == (0,)


async def test_an_erasure_of_everything_ends_what_was_granted_and_keeps_the_record_of_it(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")
    await _erase_everything(consent, ada, running_retention)
    assert await ada.state() == {"CLOUD_PROCESSING": "WITHDRAWN", "FACE_GROUPING": "WITHDRAWN"}

    assert await consent.purge.sweep() == 1

    assert await ada.state() == {"CLOUD_PROCESSING": "WITHDRAWN", "FACE_GROUPING": "WITHDRAWN"}
    assert len((await ada.events()).receipts) == 4


async def test_lost_keys_end_what_was_granted_and_asking_again_heals(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING", "LOCATION")
    async with _down(running_retention):
        _lose_all_epochs(consent)

    assert not await ada.can_seal("CLOUD_PROCESSING")
    assert await consent.purge.sweep() >= 2  # those of persons of other tests are lost as well

    assert await ada.state() == {"CLOUD_PROCESSING": "KEY_LOST", "LOCATION": "KEY_LOST"}
    await ada.grant("CLOUD_PROCESSING")
    assert await ada.can_seal("CLOUD_PROCESSING")


async def test_a_grant_after_a_loss_that_consent_has_not_heard_of_ends_in_a_usable_key(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING", "LOCATION")
    async with _down(running_retention):
        _lose_all_epochs(consent)

    await ada.grant("CLOUD_PROCESSING")
    assert await ada.can_seal("CLOUD_PROCESSING")
    await consent.purge.sweep()

    assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN", "LOCATION": "KEY_LOST"}
    assert await ada.can_seal("CLOUD_PROCESSING")


async def test_a_grant_after_todays_epoch_was_lost_from_a_running_service_ends_in_a_usable_key(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    folder = consent.harness.folder / "epochs"
    async with _down(running_retention):
        EpochFiles(folder, read_root_key(consent.harness.folder / "root.key")).make(_yesterday())
    await ada.grant("CLOUD_PROCESSING")
    max(folder.glob("*.epoch")).unlink()

    await _grant_in_time(ada, "CLOUD_PROCESSING")

    assert await ada.can_seal("CLOUD_PROCESSING")
    await consent.purge.sweep()
    assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN"}


async def test_a_person_can_consent_again_after_their_erasure(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")
    await _erase_everything(consent, ada, running_retention)
    await consent.purge.sweep()

    await ada.grant("CLOUD_PROCESSING")

    assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN", "FACE_GROUPING": "WITHDRAWN"}
    assert await ada.can_seal("CLOUD_PROCESSING")


async def test_a_consent_given_between_the_erasure_and_its_purge_stays(
    consent: RunningConsent, ada: Person, running_retention: Retention
) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")
    await _erase_everything(consent, ada, running_retention)
    await ada.grant("CLOUD_PROCESSING")

    await consent.purge.sweep()

    assert await ada.state() == {"CLOUD_PROCESSING": "GIVEN", "FACE_GROUPING": "WITHDRAWN"}
    assert await ada.can_seal("CLOUD_PROCESSING")
    assert not await ada.can_seal("FACE_GROUPING")


async def test_other_services_hear_of_every_change(consent: RunningConsent, ada: Person, pool: Pool, bus: Bus) -> None:
    heard: asyncio.Queue[consent_changed_pb2.ConsentChanged] = asyncio.Queue()

    async def hear(event: IncomingEvent) -> None:
        message = consent_changed_pb2.ConsentChanged.FromString(event.body)
        if message.subject == ada.subject:
            await heard.put(message)

    consumer = Consumer(
        bus,
        stream="CONSENT",
        durable=f"listener-{uuid4().hex}",
        types=["pellicule.internal.consent.v1.ConsentChanged"],
        handle=hear,
    )
    async with supervised([OutboxRelay(pool, bus, SystemClock(), STREAM).run, consumer.run]), asyncio.timeout(20):
        await ada.grant("CLOUD_PROCESSING", "LOCATION")
        await ada.withdraw("CLOUD_PROCESSING")
        granted, withdrawn = await heard.get(), await heard.get()

    assert (list(granted.granted), list(granted.revoked)) == ([1, 3], [])
    assert (list(withdrawn.granted), list(withdrawn.revoked)) == ([], [1, 3])
    assert withdrawn.revision > granted.revision


def _lose_all_epochs(consent: RunningConsent) -> None:
    """Lose the folder of epochs, and say so as an operator does."""
    epochs = consent.harness.folder / "epochs"
    consent.harness.lost_epochs = ",".join(file.stem for file in epochs.glob("*.epoch"))
    shutil.rmtree(epochs)


def _yesterday() -> str:
    return (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


async def _grant_in_time(person: Person, purpose: str) -> None:
    """Grant; for a moment there is no epoch to make a key under."""
    for _ in range(50):
        try:
            await person.grant(purpose)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017
            await asyncio.sleep(0.2)
        else:
            return
    pytest.fail("no grant is answered")
