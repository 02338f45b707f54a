"""What the analysis of photos costs on this machine, held against the bare models, and that memory stays flat."""

import psutil
import pytest

from tests.e2e.harness import RunningStack
from tests.integration.analysis.harness import Harness
from tests.integration.analysis.test_whole_way import about, finished
from tests.unit.analysis.photos import LYON, encode, exif, photo

FIELDS = {"name", "value", "unit", "limit", "ratio", "goal", "holds", "uncertainty", "rounds"}
ROUND = 60
ROUNDS = 5
MEBIBYTE = 1024 * 1024


def test_stored_photos_are_understood_at_four_fifths_of_the_speed_of_the_bare_models(stack: RunningStack) -> None:
    [row] = stack.rows("bench", "analyze")
    assert set(row) == FIELDS
    assert (row["name"], row["unit"], row["goal"]) == ("analyze", "photos/s", 0.8)
    assert row["holds"], row


@pytest.mark.asyncio(loop_scope="session")
async def test_memory_does_not_grow_with_the_photos_understood(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
    reader = await harness.as_person(person)
    data = [encode(photo(name).resize((2048, 1536)), exif=exif(position=LYON)) for name in ("astronaut", "chelsea")]
    sizes = []
    for number in range(ROUNDS):
        for shot in range(ROUND):
            await harness.store(person, data[shot % 2], metadata=about(600 * (number * ROUND + shot)))
        await finished(reader, (number + 1) * ROUND)
        sizes.append(psutil.Process(harness.analysis.pid).memory_info().rss / MEBIBYTE)
    assert sizes[-1] - sizes[1] < 60, sizes
