import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from deploy.declarations import DECLARATIONS, SERVICES
from deploy.local.parts.nats import NatsServer, bus_client, nats_server
from services.chassis.messaging.bus import Bus, inbox_prefix

STREAM = "INGEST"
CONSUMER = "analysis-media"
SUBJECT = "pellicule.internal.ingest.v1.MediaStored"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NatsServer]:
    async with nats_server(tmp_path_factory.mktemp("nats")) as server:
        yield server


@asynccontextmanager
async def user(server: NatsServer, service: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """Connect as a service does, and give what the server refuses."""
    refused = list[str]()

    async def note(error: Exception) -> None:
        refused.append(str(error))

    url = server.url(service)
    async with bus_client(url, inbox_prefix=inbox_prefix(url), error_cb=note) as client:
        yield client, refused


async def refusals(client: Client, refused: list[str], tried: int) -> str:
    """Return what was refused of so many things that were sent; one that was not is waited for in vain."""
    await client.flush()
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while len(refused) < tried:  # noqa: ASYNC110  # the client has no event for it
                await asyncio.sleep(0.01)
    return "\n".join(refused).lower()


async def make_stream(client: Client) -> None:
    await client.jetstream().add_stream(name=STREAM, subjects=["pellicule.internal.ingest.v1.>"])


def of_another(other: str, service: str) -> list[str]:
    """Subjects by which a service could wrong another; its own stream is its own, with all who hear it."""
    stream = other.upper()
    heard = [each for each in DECLARATIONS[other].hears if not each.startswith(f"{service.upper()}.")]
    changes = ("CREATE", "UPDATE", "DELETE", "PURGE", "MSG.DELETE", "MSG.GET", "RESTORE", "SNAPSHOT", "INFO")
    return [
        f"pellicule.internal.{other}.v1.Event",
        f"_INBOX_{other}.reply",
        *(f"$JS.API.STREAM.{change}.{stream}" for change in changes),
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.foreign",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.foreign",
        *(f"$JS.API.CONSUMER.{action}.{each}" for each in heard for action in ("CREATE", "DELETE", "MSG.NEXT", "INFO")),
        *(f"$JS.ACK.{each}.1.1.1.1.0" for each in heard),
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_event_reaches_another_service(server: NatsServer) -> None:
    async with user(server, "ingest") as (ingest, _), user(server, "analysis") as (analysis, refused):
        await make_stream(ingest)
        await ingest.jetstream().publish(SUBJECT, b"event")
        subscription = await Bus(analysis).add_consumer(STREAM, ConsumerConfig(durable_name=CONSUMER, name=CONSUMER))
        (message,) = await subscription.fetch(1, timeout=5)
        await message.ack_sync()
        assert (message.data, refused) == (b"event", [])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reaches_no_subject_of_another(server: NatsServer, service: str) -> None:
    tried = [subject for other in SERVICES if other != service for subject in of_another(other, service)]
    async with user(server, service) as (client, refused):
        for subject in tried:
            await client.publish(subject, b"{}")
        said = await refusals(client, refused, len(tried))

    assert [subject for subject in tried if f'publish to "{subject.lower()}"' not in said] == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_listens_to_its_own_inboxes_alone(server: NatsServer, service: str) -> None:
    others = [name for name in SERVICES if name != service]
    tried = [
        *(f"_INBOX_{name}.>" for name in others),
        *(f"pellicule.internal.{name}.v1.>" for name in SERVICES),
        *("_INBOX.>", "*.>", ">", "$JS.API.>", "$JS.EVENT.ADVISORY.>", "$SYS.>"),
    ]
    async with user(server, service) as (client, refused):
        for subject in tried:
            await client.subscribe(subject)
        said = await refusals(client, refused, len(tried))

    assert [subject for subject in tried if f'subscription to "{subject.lower()}"' not in said] == []


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stream_that_another_would_delete_stays(server: NatsServer) -> None:
    async with user(server, "ingest") as (ingest, _), user(server, "analysis") as (analysis, _):
        await make_stream(ingest)
        with pytest.raises(nats.errors.TimeoutError):
            await analysis.jetstream(timeout=0.5).delete_stream(STREAM)
        info = await ingest.jetstream().stream_info(STREAM)

    assert info.config.name == STREAM


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_connects_without_a_password(server: NatsServer) -> None:
    host, port = server.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await reader.readline()
    writer.write(b"CONNECT {}\r\nPING\r\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b"Authorization Violation" in answer
