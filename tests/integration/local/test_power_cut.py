"""Power cuts: what a server of the stack has acknowledged is there when it comes back."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psycopg
import pytest
import urllib3
from nats.aio.client import Client

from deploy.local.files import write_private
from deploy.local.parts.lifecycle import running
from deploy.local.parts.minio import MinioServer
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.nats import PROBER, NatsServer, bus_client
from deploy.local.parts.object_store import ADMINISTRATOR, connection, new_identities, read
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.postgres import SUPERUSER, PostgresServer
from deploy.local.parts.seaweedfs import SeaweedPorts, SeaweedServer
from deploy.provision.object_store import Identity
from services.chassis.messaging.bus import inbox_prefix
from services.journal.directory import JournalDirectory
from services.retention.epochs.epoch_files import EpochFiles
from tests.integration.local.disks import FILE_SYSTEMS, Disk, disk

OBJECTS, AT_A_TIME, OBJECT_BYTES = 120, 4, 300_000
BUCKET = "media"


@pytest.fixture(params=FILE_SYSTEMS)
def drive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with disk(tmp_path, file_system=request.param) as made:
        yield made


@pytest.fixture
def ports() -> Iterator[list[int]]:
    reserved = [ReservedPort() for _ in SeaweedPorts.__dataclass_fields__]
    yield [port.number for port in reserved]
    for port in reserved:
        port.close()


@pytest.fixture(params=["seaweedfs", "minio"])
def store(
    request: pytest.FixtureRequest, drive: Disk, ports: list[int], tmp_path: Path
) -> Callable[[], SeaweedServer | MinioServer]:
    """Return what makes the server, before the cut and after it."""
    identities, log, data = new_identities(), tmp_path / "log", drive.folder / "data"
    if request.param == "seaweedfs":
        return lambda: SeaweedServer(
            data=data, log=log, ports=SeaweedPorts(*ports), identities=identities, signing_key="k" * 32
        )
    if cached_minio() is None:
        pytest.skip("MinIO has not been built here")
    return lambda: MinioServer(data=data, log=log, port=ports[0], identities=identities)


def put_all(address: str, identity: Identity) -> dict[str, bytes]:
    objects = {secrets.token_hex(16): secrets.token_bytes(OBJECT_BYTES) for _ in range(OBJECTS)}
    with connection(address, identity) as (client, _), ThreadPoolExecutor(AT_A_TIME) as threads:
        http = urllib3.PoolManager(maxsize=AT_A_TIME)

        def put(name: str) -> int:
            return http.urlopen("PUT", client.get_presigned_url("PUT", BUCKET, name), body=objects[name]).status

        assert set(threads.map(put, objects)) == {200}
        http.clear()
    return objects


def whole(address: str, identity: Identity, objects: Mapping[str, bytes]) -> list[str]:
    """Return the names of what is listed and can be read as it was put."""
    with connection(address, identity) as (client, _):
        listed = {item.object_name for item in client.list_objects(BUCKET)}
        return [name for name in objects if name in listed and read(client, BUCKET, name) == objects[name]]


async def test_an_acknowledged_object_is_on_the_disk(
    drive: Disk, store: Callable[[], SeaweedServer | MinioServer]
) -> None:
    async with running(store()) as server:
        objects = put_all(server.address, server.identity(ADMINISTRATOR))
        drive.cut()
    drive.begin_again()
    async with running(store()) as server:
        kept = whole(server.address, server.identity(ADMINISTRATOR), objects)
    assert len(kept) == OBJECTS


def connected(server: NatsServer) -> AbstractAsyncContextManager[Client]:
    url = server.url("ingest")
    return bus_client(url, inbox_prefix=inbox_prefix(url))


async def test_an_acknowledged_event_is_on_the_disk(drive: Disk, ports: list[int], tmp_path: Path) -> None:
    def server() -> NatsServer:
        passwords = {"ingest": "secret", PROBER: "secret"}
        return NatsServer(data=drive.folder / "nats", log=tmp_path / "log", port=ports[0], passwords=passwords)

    async with running(server()) as before, connected(before) as client:
        stream = client.jetstream(timeout=60)
        await stream.add_stream(name="INGEST", subjects=["pellicule.internal.ingest.v1.>"])
        for number in range(OBJECTS):
            await stream.publish("pellicule.internal.ingest.v1.MediaStored", str(number).encode())
        drive.cut()
    drive.begin_again()
    async with running(server()) as after, connected(after) as client:
        info = await client.jetstream(timeout=60).stream_info("INGEST")
    assert info.state.messages == OBJECTS


async def test_a_committed_row_is_on_the_disk_even_of_a_cluster_made_a_moment_ago(
    drive: Disk, ports: list[int], tmp_path: Path
) -> None:
    drive.folder.chmod(0o755)

    def server() -> PostgresServer:
        passwords = {SUPERUSER: "secret", "ingest": "secret"}
        return PostgresServer(data=drive.folder / "data", log=tmp_path / "log", port=ports[0], passwords=passwords)

    async with running(server()) as before:
        with psycopg.connect(before.url("ingest"), autocommit=True) as connected:
            connected.execute("CREATE TABLE photo (number integer)")
            for number in range(OBJECTS):
                connected.execute("INSERT INTO photo VALUES (%s)", [number])
        drive.cut()
    drive.begin_again()
    async with running(server()) as after:
        with psycopg.connect(after.url("ingest")) as connected:
            kept = connected.execute("SELECT count(*) FROM photo").fetchone()
    assert kept == (OBJECTS,)


def test_keys_are_on_the_disk_before_anything_is_wrapped_under_them(drive: Disk) -> None:
    root_key, epochs = secrets.token_bytes(32), drive.folder / "home" / "epochs"
    keys = EpochFiles(epochs, root_key)
    keys.make("20260101")
    keys.begin("20260101")
    wrapped = keys.wrap(b"k" * 32, b"person")
    write_private(drive.folder / "home" / "keys" / "root.key", root_key)
    drive.cut()
    drive.begin_again()
    read_again = (drive.folder / "home" / "keys" / "root.key").read_bytes()
    assert EpochFiles(epochs, read_again).unwrap(wrapped, b"person") == b"k" * 32


def test_a_destroyed_epoch_does_not_come_back(drive: Disk) -> None:
    root_key, epochs = secrets.token_bytes(32), drive.folder / "epochs"
    keys = EpochFiles(epochs, root_key)
    keys.make("20260101")
    keys.destroy("20260101")
    drive.cut()
    drive.begin_again()
    assert not EpochFiles(epochs, root_key).has("20260101")


async def test_a_written_destruction_is_on_the_disk(drive: Disk) -> None:
    journal = JournalDirectory(drive.folder / "journal")
    assert await journal.create(0, b"destroyed")
    drive.cut()
    drive.begin_again()
    assert await JournalDirectory(drive.folder / "journal").read(0) == b"destroyed"
