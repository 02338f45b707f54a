"""The real server paints pictures: one call each, ended when no caller waits, refused with a reason."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from inference.client.errors import ModelBusy
from inference.restyling.assembly import FlowRestylerFiles, LatentRestylerFiles, RestylerFiles
from inference.restyling.client import RestylerClient
from inference.restyling.diffusion.errors import NetworkFailed, PictureTooLarge, PictureTooSmall, StyleUnknown
from inference.restyling.diffusion.request import Picture, RestyleRequest
from inference.restyling.local import open_local
from services.chassis.clock import SystemClock
from tests.fakes.restyler_graphs import COLOURS, LATENT_STYLES, STYLES, write_flow, write_latent
from tests.integration.restyling.servers import serving, serving_as_a_gpu_does

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAME, INVERTED, BROKEN = range(3)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> RestylerFiles:
    """Make a network that takes some time for each step."""
    return FlowRestylerFiles(write_flow(tmp_path_factory.mktemp("flow") / "velocity.onnx", layers=6), STYLES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(files: RestylerFiles, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with serving(tmp_path_factory.mktemp("triton"), files) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(address: str) -> AsyncIterator[RestylerClient]:
    async with RestylerClient(address, SystemClock()) as restyler:
        yield restyler


def _photo(height: int = 99, width: int = 130) -> Picture:
    return np.random.default_rng(8).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _request(photo: Picture | None = None, *, style: int = INVERTED, steps: int = 4, seed: int = 1) -> RestyleRequest:
    return RestyleRequest(_photo() if photo is None else photo, style, steps, 1.0, seed)


async def _raw(address: str, request: RestyleRequest) -> Picture:
    """Asks without our client, which would refuse by itself."""
    inputs: dict[str, NDArray[np.generic]] = {
        "photo": request.photo[None],
        "style": np.array([[request.style]], np.int32),
        "steps": np.array([[request.steps]], np.int32),
        "strength": np.array([[request.strength]], np.float32),
        "seed": np.array([[request.seed]], np.int64),
    }
    tensors = [
        triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype)).set_data_from_numpy(array)
        for name, array in inputs.items()
    ]
    async with triton.InferenceServerClient(address) as server:
        result = await server.infer("restyler", tensors, client_timeout=60)
    picture: Picture = result.as_numpy("picture")[0]
    return picture


async def test_the_server_says_which_styles_it_has(client: RestylerClient) -> None:
    assert await client.styles() == STYLES


@pytest.mark.parametrize("size", [(64, 64), (99, 130), (65, 127)])
async def test_a_picture_of_any_size_comes_back_as_large_as_it_went(
    client: RestylerClient, size: tuple[int, int]
) -> None:
    photo = _photo(*size)

    assert np.array_equal(await client.restyle(_request(photo)), 255 - photo)


async def test_the_server_paints_what_this_process_paints(client: RestylerClient, files: RestylerFiles) -> None:
    request = RestyleRequest(_photo(), SAME, steps=3, strength=0.7, seed=99)

    served = await client.restyle(request)
    local = open_local(files, threads=1).restyle(request, lambda: False)

    assert np.abs(served.astype(int) - local).max() <= 1


async def test_a_cancelled_call_ends_its_steps_and_those_in_line(client: RestylerClient) -> None:
    large = _photo(512, 512)
    began = time.perf_counter()
    await client.restyle(_request(large, steps=4))
    one_step = (time.perf_counter() - began) / 4

    tasks = [asyncio.create_task(client.restyle(_request(large, steps=50))) for _ in range(3)]
    await asyncio.wait(tasks, timeout=2 * one_step)
    cancelled = time.perf_counter()
    for task in tasks:
        task.cancel()
    answer = await client.restyle(_request())
    waited = time.perf_counter() - cancelled

    assert answer.shape == _photo().shape
    assert waited < 15 * one_step  # of the 150 that were asked for
    assert all(task.cancelled() for task in await _ended(tasks))


async def _ended(tasks: list[asyncio.Task[Picture]]) -> list[asyncio.Task[Picture]]:
    await asyncio.wait(tasks)
    return tasks


async def test_a_velocity_that_is_no_number_is_an_error_and_the_server_goes_on(client: RestylerClient) -> None:
    with pytest.raises(NetworkFailed, match="velocity at t = 1 is not finite") as caught:
        await client.restyle(_request(style=BROKEN))

    assert caught.value.field == "v"
    assert np.array_equal(await client.restyle(_request(style=SAME)), _photo())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (_request(style=9), r"STYLE_UNKNOWN \[style\]: there is no style 9; choose one of: 0 same, 1 inverted, 2 brok"),
        (_request(_photo(3, 80)), r"PICTURE_TOO_SMALL \[photo\]: the photo is 80 x 3 px; each side has to be at least"),
        (_request(_photo(2050, 64)), r"PICTURE_TOO_LARGE \[photo\]: .* make it smaller"),
        (_request(steps=0), r"PARAMETER_OUT_OF_RANGE \[steps\]: steps is 0; give 1 to 50"),
        (_request(seed=-1), r"PARAMETER_OUT_OF_RANGE \[seed\]"),
    ],
)
async def test_the_server_itself_refuses_what_cannot_be_restyled(
    address: str, request_: RestyleRequest, words: str
) -> None:
    with pytest.raises(InferenceServerException, match=words) as caught:
        await _raw(address, request_)

    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


async def test_the_client_refuses_before_it_sends(client: RestylerClient) -> None:
    with pytest.raises(PictureTooSmall):
        await client.restyle(_request(_photo(3, 80)))
    with pytest.raises(PictureTooLarge):
        await client.restyle(_request(np.zeros((1100, 1100, 3), np.uint8)))
    with pytest.raises(StyleUnknown, match="0 same, 1 inverted, 2 broken"):
        await client.restyle(_request(style=3))


async def test_a_picture_with_four_channels_is_refused(address: str) -> None:
    with pytest.raises(InferenceServerException, match="unexpected shape"):
        await _raw(address, _request(np.zeros((80, 80, 4), np.uint8)))


async def test_a_line_that_is_full_is_told_at_once(address: str) -> None:
    async with RestylerClient(address, SystemClock(), most_waiting=1) as impatient:
        await impatient.styles()
        tasks = [asyncio.create_task(impatient.restyle(_request(_photo(512, 512), steps=50))) for _ in range(2)]
        await asyncio.wait(tasks, timeout=0.1)

        with pytest.raises(ModelBusy, match="1 wait already"):
            await impatient.restyle(_request())

        for task in tasks:
            task.cancel()
        await _ended(tasks)


async def test_a_gpu_node_takes_the_same_calls_with_its_network_as_a_model_of_its_own(tmp_path: Path) -> None:
    async with serving_as_a_gpu_does(tmp_path) as gpu, RestylerClient(gpu, SystemClock()) as client:
        assert np.array_equal(await client.restyle(_request()), 255 - _photo())
        with pytest.raises(NetworkFailed, match="not finite"):
            await client.restyle(_request(style=BROKEN))


@pytest.mark.parametrize("sampler", ["turbo", "lcm"])
async def test_four_graphs_in_the_slot_answer_the_same_calls(tmp_path: Path, sampler: str) -> None:
    files = LatentRestylerFiles(write_latent(tmp_path / "slot", sampler=sampler))
    async with serving(tmp_path, files) as latent, RestylerClient(latent, SystemClock()) as client:
        assert await client.styles() == LATENT_STYLES
        picture = await client.restyle(_request(style=LATENT_STYLES.index("orange"), steps=2))

    wanted = np.rint((np.array(COLOURS["orange"]) + 1) * 127.5)
    assert picture.shape == _photo().shape
    assert np.abs(picture.astype(int) - wanted).max() <= 1
