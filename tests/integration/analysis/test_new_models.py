"""Another model is served: media are described again, newest first, and what was known serves meanwhile."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from inference.slots import installing
from inference.slots.filling import Filling
from pellicule.analysis.v1 import analysis_pb2
from tests.integration.analysis.harness import Harness
from tests.integration.analysis.test_consent import PORTRAIT
from tests.integration.analysis.test_whole_way import about, finished
from tests.integration.eventually import eventually
from tests.integration.slots.homes import own_home
from tests.unit.inference.slots import brought

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE = analysis_pb2.ANALYSIS_STATE_DONE


@pytest_asyncio.fixture(loop_scope="session")
async def embedder(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Filling, "Restart"]]:
    """Install an operator's embedder, and let it be served; afterwards the shipped one is served again."""
    home = own_home(tmp_path / "cache" / "pellicule")
    filling = installing.use(home, "face_embedder", [brought.embedder(tmp_path / "mine.onnx")])
    restart = Restart(harness, monkeypatch, tmp_path / "cache")
    try:
        yield filling, restart
    finally:
        await restart(own=False)
        shutil.rmtree(home)


class Restart:
    """Starts the inference server again, with the operator's models or without them."""

    def __init__(self, harness: Harness, patch: pytest.MonkeyPatch, cache: Path) -> None:
        self._ground, self._patch, self._cache = harness, patch, cache

    async def __call__(self, *, own: bool) -> None:
        triton = self._ground.servers.triton
        await triton.stop()
        with self._patch.context() as patch:
            if own:
                patch.setenv("XDG_CACHE_HOME", str(self._cache))
            await triton.start()


async def test_faces_are_described_again_and_what_was_known_serves_meanwhile(
    harness: Harness, person: str, embedder: tuple[Filling, Restart]
) -> None:
    filling, restart = embedder
    await harness.grant(person, "CLOUD_PROCESSING", "FACE_GROUPING")
    for number in range(3):
        await harness.store(person, PORTRAIT, metadata=about(number * 600))
    reader, suggestion = await harness.as_person(person), await harness.as_suggestion(person)
    await finished(reader, 3)

    await harness.servers.triton.stop()
    old = [each.analysis for each in await suggestion.library()]
    assert [(each.state, "face_embedder-1" in each.models) for each in old] == [(DONE, True)] * 3
    await restart(own=True)

    new = await eventually(
        suggestion.library,
        lambda seen: all(filling.identity in each.analysis.models and len(each.face_templates) for each in seen),
    )
    templates = [np.frombuffer(each.face_templates[0], "<f4") for each in new]
    assert [len(template) for template in templates] == [225] * 3
    assert [each.analysis.findings.faces[0].box for each in new] == [each.findings.faces[0].box for each in old]
    assert await reader.progress() == (0, 3, 0)
