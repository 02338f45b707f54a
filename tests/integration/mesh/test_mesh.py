"""Two servers, two processes for upkeep and three workers of each service make nothing twice, and lose nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from deploy.declarations import DECLARATIONS, SERVICES
from deploy.local.parts.nats import bus_client
from services.chassis.messaging.bus import inbox_prefix
from services.chassis.messaging.work import WorkStream
from tests.e2e.harness import EVERYTHING, Row
from tests.integration.eventually import eventually
from tests.integration.mesh.harness import Mesh

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKING = [service for service in SERVICES if DECLARATIONS[service].works]


@asynccontextmanager
async def as_service(mesh: Mesh, service: str) -> AsyncIterator[JetStreamContext]:
    """Connect to the bus as a service."""
    url = mesh.environment(service)["PELLICULE_NATS_URL"]
    async with bus_client(url, inbox_prefix=inbox_prefix(url)) as client:
        yield client.jetstream()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def analysis_bus(mesh: Mesh) -> AsyncIterator[JetStreamContext]:
    async with as_service(mesh, "analysis") as bus:
        yield bus


async def consent(mesh: Mesh, bus: JetStreamContext, subject: str) -> None:
    """Grant everything, and have analysis know: what it hears later it would look at again."""
    await mesh.command("consent", "--subject", subject, "--grant", EVERYTHING)

    async def waiting() -> int:
        info = await bus.consumer_info("CONSENT", "analysis-consent")
        unsent = await mesh.select("consent", "SELECT FROM outbox WHERE sequence IS NULL")
        return (info.num_pending or 0) + (info.num_ack_pending or 0) + len(unsent)

    await eventually(waiting, lambda count: count == 0)


async def bring_in(mesh: Mesh, roll: Path, subject: str) -> Counter[object]:
    rows = await mesh.command("import", str(roll), "--subject", subject, "--wait")
    return Counter(row["outcome"] for row in rows)


async def analysed(bus: JetStreamContext) -> int:
    """Return how many times a media was told to be analysed."""
    return int((await bus.stream_info("ANALYSIS")).state.last_seq)


@asynccontextmanager
async def work_bus(mesh: Mesh, service: str) -> AsyncIterator[tuple[JetStreamContext, WorkStream]]:
    """Connect to the bus as a service, and name the stream of its work."""
    async with as_service(mesh, service) as bus:
        yield bus, WorkStream.of(service)


async def lag(bus: JetStreamContext, stream: WorkStream) -> int:
    """Return how many hints are not done, as what starts workers counts them."""
    info = await bus.consumer_info(stream.name, stream.consumer)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def ideas(mesh: Mesh, subject: str) -> Counter[str]:
    """Return how often each idea was made."""
    rows = await mesh.command("ideas", "--subject", subject)
    return Counter(json.dumps([row["kind"], sorted(map(str, _media(row)))]) for row in rows)


def _media(row: Row) -> list[object]:
    media = row["media"]
    assert isinstance(media, list)
    return media


@pytest.fixture(scope="session")
def size(roll: Path) -> int:
    return len(list(roll.glob("*.jpg")))


async def test_each_photo_is_analysed_once_and_each_idea_made_once(
    mesh: Mesh, analysis_bus: JetStreamContext, roll: Path, size: int
) -> None:
    await consent(mesh, analysis_bus, "once")
    before = await analysed(analysis_bus)
    assert await bring_in(mesh, roll, "once") == {"stored": size}
    assert await analysed(analysis_bus) - before == size
    made = await ideas(mesh, "once")
    assert (len(made) > 0, set(made.values())) == (True, {1})


async def test_workers_share_the_work(mesh: Mesh) -> None:
    claimers = await mesh.select("analysis", "SELECT count(DISTINCT claimer) FROM media")
    assert claimers != [(1,)]


@pytest.mark.parametrize("service", WORKING)
async def test_when_all_is_done_no_hint_is_left(mesh: Mesh, service: str) -> None:
    async with work_bus(mesh, service) as (bus, stream):
        await eventually(lambda: lag(bus, stream), lambda count: count == 0)


async def test_hints_wait_with_the_work_for_a_worker_and_go_with_it(mesh: Mesh) -> None:
    workers = mesh.alike("suggestion", "worker")
    async with work_bus(mesh, "suggestion") as (bus, stream):
        for each in workers:
            assert each.process is not None
            await each.process.stop()
        await mesh.select(
            "suggestion",
            "INSERT INTO due (subject, first_time, last_time)"
            " SELECT md5(number::text), long_ago, long_ago"
            " FROM generate_series(1, 3) number, (SELECT now() - interval '1 day' AS long_ago) AS times"
            " RETURNING subject",
        )
        await eventually(lambda: lag(bus, stream), lambda count: count == 3)
        for each in workers:
            mesh.start(each)
        await eventually(lambda: lag(bus, stream), lambda count: count == 0)
        assert await mesh.select("suggestion", "SELECT FROM due") == []


@pytest.mark.parametrize("service", SERVICES)
async def test_one_process_of_two_has_the_leases(mesh: Mesh, service: str) -> None:
    holders = await mesh.select(service, "SELECT count(DISTINCT holder), count(*) FROM lease")
    assert [(few, many > 1) for few, many in holders] == [(1, True)]  # type: ignore[operator]
    taken = [mesh.log(each).count("lease_taken") > 0 for each in mesh.alike(service, "upkeep")]
    assert sorted(taken) == [False, True]


async def test_an_order_is_carried_out_once(mesh: Mesh, size: int) -> None:
    await mesh.command("withdraw", "CLOUD_PROCESSING", "--subject", "once")
    open_ = "SELECT FROM purge_order WHERE complete_time IS NULL"
    await eventually(lambda: mesh.select("retention", open_), lambda orders: not orders)
    purged = "SELECT store, sum(purged_count)::int FROM store_purge GROUP BY store"
    counts = {str(store): count for store, count in await mesh.select("retention", purged)}
    assert (counts["ingest.table.media"], counts["analysis.table.media"]) == (size, size)
    assert await mesh.select("ingest", "SELECT FROM media") == []


async def test_a_worker_that_is_stopped_leaves_its_work_to_the_others(
    mesh: Mesh, analysis_bus: JetStreamContext, roll: Path, size: int
) -> None:
    await consent(mesh, analysis_bus, "stopped")
    before = await analysed(analysis_bus)
    importing = asyncio.create_task(bring_in(mesh, roll, "stopped"))
    at_work = "SELECT claimer FROM media WHERE claim_id IS NOT NULL"
    await eventually(lambda: mesh.select("analysis", at_work))
    worker = mesh.alike("analysis", "worker")[-1]
    assert worker.process is not None
    await worker.process.stop()
    assert worker.process.exit_status == 0
    assert await importing == {"stored": size}
    assert await analysed(analysis_bus) - before == size
    others = mesh.alike("analysis", "worker")[:-1]
    assert [each.name for each in others if "abandoned_claims_freed" in mesh.log(each)] == []
    mesh.start(worker)
    await eventually(worker.serves)


async def test_a_killed_process_of_each_kind_loses_nothing(
    mesh: Mesh, analysis_bus: JetStreamContext, roll: Path, size: int
) -> None:
    await consent(mesh, analysis_bus, "killed")
    before = await analysed(analysis_bus)
    importing = asyncio.create_task(bring_in(mesh, roll, "killed"))
    await eventually(lambda: mesh.select("ingest", "SELECT FROM media"))
    for service in SERVICES:
        for role in ("public", "upkeep", "worker"):
            for replica in mesh.alike(service, role)[:1]:
                assert replica.process is not None
                replica.process.kill()
    assert await importing == {"stored": size}
    assert await analysed(analysis_bus) - before == size
    findings = await mesh.command("findings", "--subject", "killed")
    assert Counter(row["state"] for row in findings) == {"done": size}
    made = await ideas(mesh, "killed")
    assert (len(made) > 0, set(made.values())) == (True, {1})


@pytest.mark.parametrize("service", SERVICES)
async def test_the_processes_that_are_left_have_the_leases(mesh: Mesh, service: str) -> None:
    left = mesh.alike(service, "upkeep")[-1]
    await eventually(lambda: _says(mesh, left.name), seconds=30)
    assert left.process is not None
    assert left.process.exit_status is None


async def _says(mesh: Mesh, name: str) -> bool:
    return "lease_taken" in mesh.stack.home.log(name).read_text(encoding="utf-8")
