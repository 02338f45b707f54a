"""The real client on the real server, by the suite of every model; and what it does when the server fails."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from inference.client.client import InferenceClient
from inference.client.retries import CallPolicy
from inference.vision.pictures import Picture, letterbox
from services.analysis.errors import ModelUnavailable, TensorRefused
from services.analysis.vision.triton_models import TritonModels
from services.chassis.clock import SystemClock
from tests.contract.analysis.models_suite import BLANK, ModelsSuite
from tests.fakes.ports import free_port
from tests.integration.analysis.harness import Servers
from tests.unit.analysis.photos import pixels

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def models(servers: Servers) -> AsyncIterator[TritonModels]:
    async with InferenceClient(servers.triton.address, SystemClock()) as client:
        yield TritonModels(client)


class TestTritonModels(ModelsSuite):
    @pytest.fixture
    def portrait(self) -> Picture:
        canvas = np.zeros((640, 640, 3), np.uint8)
        boxed = letterbox(pixels("astronaut"))
        canvas[: boxed.height, : boxed.width] = boxed.canvas[: boxed.height, : boxed.width]
        return canvas


async def test_a_server_that_is_not_there_is_left_alone_after_a_few_attempts() -> None:
    async with InferenceClient(f"127.0.0.1:{free_port()}", SystemClock()) as client:
        models = TritonModels(client)
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                await models.detect(BLANK)
        assert models.paused().total_seconds() > 0


async def test_a_tensor_of_the_wrong_shape_is_refused_for_good(models: TritonModels) -> None:
    with pytest.raises(TensorRefused):
        await models.detect(BLANK[:320])
    await models.detect(BLANK)


async def test_an_answer_that_takes_too_long_is_not_waited_for(servers: Servers) -> None:
    async with InferenceClient(servers.triton.address, SystemClock(), policy=CallPolicy(response=0.052)) as client:
        with pytest.raises(ModelUnavailable):
            await TritonModels(client).detect(BLANK)
