from collections.abc import Sequence
from datetime import timedelta

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from structlog.testing import capture_logs

from services.chassis.metrics import BACKSTOP_HITS, Measurements
from services.chassis.orphans import OrphanSweep
from tests.fakes.clock import FakeClock
from tests.fakes.measured import points
from tests.fakes.object_store import FakeObjectStore
from tests.fakes.walks import FakeWalks

BACKSTOP = timedelta(days=32)


async def known(names: Sequence[str]) -> set[str]:
    return set()


async def test_what_the_lifecycle_rule_is_about_to_take_is_counted_and_told() -> None:
    clock, reader = FakeClock(), InMemoryMetricReader()
    objects, measurements = FakeObjectStore(clock), Measurements(MeterProvider([reader]).get_meter("test"))
    sweep = OrphanSweep(objects, "media", known, FakeWalks(), clock, timedelta(hours=1), BACKSTOP, measurements)
    await objects.put("media", "old", b"sealed")
    await clock.advance(BACKSTOP - timedelta(days=1))
    await objects.put("media", "new", b"sealed")
    with capture_logs() as logs:
        await sweep.run()
    assert points(reader, BACKSTOP_HITS) == [({"bucket": "media"}, 1)]
    assert [(line["event"], line["count"]) for line in logs] == [("backstop_near", 1)]
