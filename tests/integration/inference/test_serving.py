"""The real server answers as the models do in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deploy.local.parts.triton import Models, TritonServer, triton_server
from inference.canary.rounds import Place, answers_rightly, check_server
from inference.model_build.build import Progress, Stage, build_all, built_model, default_home, verify_all
from inference.model_build.errors import ModelNotBuilt, ServerUnreachable
from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import Model, shipped_model, shipped_models
from inference.model_build.sessions import ModelSession
from inference.repository import assemble_repository
from inference.restyling.client import RestylerClient
from inference.restyling.diffusion.request import RestyleRequest
from services.chassis.clock import SystemClock

pytestmark = pytest.mark.asyncio(loop_scope="module")

Tensors = dict[str, NDArray[np.generic]]
_SINGLE_RUNS = [model for model in shipped_models() if model.manifest.network is None]


@pytest.fixture(scope="module")
def home() -> Path:
    build_all(default_home())
    return default_home()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(home: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TritonServer]:
    async with _serving(home, tmp_path_factory.mktemp("triton")) as running:
        yield running


@contextlib.asynccontextmanager
async def _serving(home: Path, folder: Path) -> AsyncIterator[TritonServer]:
    async def models() -> Models:
        names = assemble_repository(folder / "repository", home)
        return Models(repository=folder / "repository", names=names, canary=answers_rightly, environment={})

    async with triton_server(folder, models) as running:
        yield running


async def _ask(client: triton.InferenceServerClient, model: Model, inputs: Tensors) -> Tensors:
    tensors = []
    for name, array in inputs.items():
        tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensors.append(tensor.set_data_from_numpy(array))
    result = await client.infer(model.name, tensors, client_timeout=60)
    return {output.name: result.as_numpy(output.name) for output in model.manifest.outputs}


def _varied(model: Model, count: int) -> list[Tensors]:
    """Input that differ from one another: the golden one, weaker each time."""

    def weaker(array: NDArray[np.generic], step: int) -> NDArray[np.generic]:
        if array.dtype.kind == "i":
            return array  # a number of something, not how much of it
        return (array.astype(np.float64) * (1 - step / 16)).astype(array.dtype)

    base = golden_inputs(model.manifest)
    return [{name: weaker(array, step) for name, array in base.items()} for step in range(count)]


def _assert_close(got: NDArray[np.generic], expected: NDArray[np.generic]) -> None:
    np.testing.assert_allclose(got.astype(np.float64), expected.astype(np.float64), rtol=1e-4, atol=1e-3)


async def test_the_models_were_built_and_prove_themselves_again(home: Path) -> None:
    seen = list[Progress]()

    again = build_all(home, seen.append)

    assert verify_all(home) == again
    assert {step.stage for step in seen} == {Stage.PRESENT}
    assert "WIDER FACE" in (home / "NOTICE").read_text("utf-8")


async def test_every_model_gives_its_golden_answer_through_the_server(server: TritonServer) -> None:
    await check_server(Place(server.address), seconds=60)


@pytest.mark.parametrize("model", _SINGLE_RUNS, ids=lambda model: model.name)
async def test_the_server_agrees_with_a_session_whatever_the_batch(
    server: TritonServer, home: Path, model: Model
) -> None:
    session = ModelSession(built_model(home, model.name).path)
    questions = _varied(model, 5)

    async with triton.InferenceServerClient(server.address) as client:
        answers = await asyncio.gather(*(_ask(client, model, question) for question in questions))

    for question, answer in zip(questions, answers, strict=True):
        for name, expected in session.run(question).items():
            _assert_close(answer[name], expected)


async def test_a_batch_in_one_request_gives_each_its_own_answer(server: TritonServer) -> None:
    model = shipped_model("face_embedder")
    questions = _varied(model, 3)
    batch = {"chip": np.concatenate([question["chip"] for question in questions])}

    async with triton.InferenceServerClient(server.address) as client:
        together = await _ask(client, model, batch)
        alone = [await _ask(client, model, question) for question in questions]

    _assert_close(together["descriptor"], np.concatenate([answer["descriptor"] for answer in alone]))


async def test_a_picture_of_another_size_is_refused_as_bad_input(server: TritonServer) -> None:
    async with triton.InferenceServerClient(server.address) as client:
        with pytest.raises(InferenceServerException, match="unexpected shape") as caught:
            await _ask(client, shipped_model("scene_classifier"), {"image": np.zeros((1, 3, 3, 3), np.uint8)})

    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


async def test_a_server_that_is_not_there_does_not_answer_rightly() -> None:
    with pytest.raises(ServerUnreachable, match="did not answer the canary"):
        await check_server(Place("127.0.0.1:9"), seconds=1)


async def test_a_dead_model_process_is_found_by_the_canary(home: Path, tmp_path: Path) -> None:
    async with _serving(home, tmp_path) as server:
        await check_server(Place(server.address), seconds=60)
        for process in psutil.Process().children(recursive=True):
            if "python_backend_stub" in process.name() and Path(process.cwd()).is_relative_to(tmp_path):
                process.kill()

        async with triton.InferenceServerClient(server.address) as client:
            assert await client.is_server_ready()
        assert not await answers_rightly(server.address)


async def test_a_server_that_paints_for_somebody_is_not_taken_for_a_dead_one(server: TritonServer) -> None:
    large = RestyleRequest(np.zeros((512, 512, 3), np.uint8), style=0, steps=50, strength=1.0, seed=0)
    async with RestylerClient(server.address, SystemClock()) as client:
        painting = asyncio.create_task(client.restyle(large))
        await asyncio.wait([painting], timeout=1)

        assert await answers_rightly(server.address)
        assert not painting.done()

        painting.cancel()
        await asyncio.wait([painting])


async def test_nothing_is_assembled_before_everything_is_built(tmp_path: Path) -> None:
    with pytest.raises(ModelNotBuilt, match="pellicule models build"):
        assemble_repository(tmp_path / "repository", tmp_path / "empty")

    assert not (tmp_path / "repository").exists()
