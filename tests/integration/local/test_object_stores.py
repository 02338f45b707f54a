import io
import itertools
import os
import signal
from pathlib import Path

import pytest
from minio.error import S3Error

from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.minio import MinioServer
from deploy.local.parts.object_store import ADMINISTRATOR, PROBE_BUCKET, connection, new_identities, read
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.seaweedfs import SeaweedPorts, SeaweedServer, seaweedfs_server
from tests.integration.local.traces import litter

ObjectStore = SeaweedServer | MinioServer


def put(store: ObjectStore, who: str, bucket: str, name: str) -> None:
    with connection(store.address, store.identity(who)) as (client, _):
        client.put_object(bucket, name, io.BytesIO(b"sealed"), 6)


def get(store: ObjectStore, who: str, bucket: str, name: str) -> bytes:
    with connection(store.address, store.identity(who)) as (client, _):
        return read(client, bucket, name)


def listed(store: ObjectStore, who: str, bucket: str) -> list[str]:
    with connection(store.address, store.identity(who)) as (client, _):
        return [str(found.object_name) for found in client.list_objects(bucket)]


async def test_a_service_reads_what_it_wrote(object_store: ObjectStore) -> None:
    put(object_store, "ingest", "media", "a")
    assert get(object_store, "ingest", "media", "a") == b"sealed"


async def test_analysis_reads_the_media_of_ingest(object_store: ObjectStore) -> None:
    put(object_store, "ingest", "media", "a")
    assert get(object_store, "analysis", "media", "a") == b"sealed"


@pytest.mark.parametrize(("who", "bucket"), [("analysis", "media"), ("suggestion", "previews"), ("ingest", "probe")])
async def test_a_service_cannot_write_where_it_has_no_business(
    object_store: ObjectStore, who: str, bucket: str
) -> None:
    with pytest.raises(S3Error) as refusal:
        put(object_store, who, bucket, "a")
    assert refusal.value.code == "AccessDenied"


async def test_a_service_cannot_delete_what_it_may_only_read(object_store: ObjectStore) -> None:
    put(object_store, "ingest", "media", "a")
    with connection(object_store.address, object_store.identity("analysis")) as (client, _), pytest.raises(S3Error):
        client.remove_object("media", "a")
    assert get(object_store, "ingest", "media", "a") == b"sealed"


async def test_a_service_sees_its_own_buckets_alone(object_store: ObjectStore) -> None:
    with pytest.raises(S3Error):
        listed(object_store, "ingest", "renditions")


async def test_a_service_can_list_for_its_reconciliation(object_store: ObjectStore) -> None:
    put(object_store, "suggestion", "renditions", "a")
    assert listed(object_store, "suggestion", "renditions") == ["a"]


async def test_a_service_cannot_make_a_bucket(object_store: ObjectStore) -> None:
    with connection(object_store.address, object_store.identity("ingest")) as (client, _), pytest.raises(S3Error):
        client.make_bucket("another")


async def test_the_probe_succeeds_on_a_server_that_runs(object_store: ObjectStore) -> None:
    assert await object_store.probe()


async def test_the_log_holds_nothing_of_what_goes_well(tmp_path: Path) -> None:
    async with seaweedfs_server(tmp_path):
        pass
    lines = (tmp_path / "seaweedfs.log").read_text().splitlines()
    before_the_end = itertools.takewhile(lambda line: "has been killed" not in line, lines)
    assert len([line for line in before_the_end if line.startswith("I")]) <= 1


async def test_the_probe_writes_now_and_then_only(object_store: ObjectStore) -> None:
    def written() -> object:
        with connection(object_store.address, object_store.identity(ADMINISTRATOR)) as (client, _):
            return client.stat_object(PROBE_BUCKET, "probe").etag

    assert await object_store.probe()
    before = written()
    assert await object_store.probe()
    assert written() == before


async def test_the_administrator_sees_every_bucket(object_store: ObjectStore) -> None:
    with connection(object_store.address, object_store.identity(ADMINISTRATOR)) as (client, _):
        buckets = {bucket.name for bucket in client.list_buckets()}
    assert buckets >= {"media", "previews", "renditions"}


async def test_acknowledged_objects_survive_a_killed_server(tmp_path: Path) -> None:
    identities = new_identities()
    reserved = [ReservedPort() for _ in range(8)]
    server = SeaweedServer(
        data=tmp_path / "data",
        log=tmp_path / "log",
        ports=SeaweedPorts(*(port.number for port in reserved)),
        identities=identities,
        signing_key="signing",
    )
    process = await bring_up(server)
    put(server, "ingest", "media", "a")
    os.kill(process.pid, signal.SIGKILL)
    await process.exited()
    process = await bring_up(server)
    content = get(server, "ingest", "media", "a")
    await process.stop()
    sweep(server.litter())
    for port in reserved:
        port.close()
    assert content == b"sealed"
    assert not [found for pattern in server.litter() for found in litter(pattern)]
