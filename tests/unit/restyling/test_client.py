"""The client of the restyler: what it refuses, who waits, and what it makes of the server's words."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from inference.client.error_classes import ErrorClass, Failed
from inference.client.errors import ModelBusy, ModelMissing, TensorRefused
from inference.client.tensors import Facts, Tensors
from inference.restyling.client import RestylerClient, allowed_seconds
from inference.restyling.diffusion.errors import NetworkFailed, PictureTooLarge, StyleUnknown
from inference.restyling.diffusion.request import RestyleRequest
from tests.fakes.clock import FakeClock

PHOTO = np.full((64, 80, 3), 9, np.uint8)


class ScriptedServer:
    """A wire to a server that returns the photo, once it is let go, or says what it was told to say."""

    def __init__(self, styles: str = "oil,pencil", *, says: Failed | None = None, instances: int = 1) -> None:
        self.styles = styles
        self.says = says
        self.instances = instances
        self.going_on = asyncio.Event()
        self.going_on.set()
        self.painting = self.most_painting = 0
        self.seconds = 0.0

    async def infer(self, model: str, inputs: Tensors, outputs: Sequence[str], *, seconds: float) -> Tensors:
        self.seconds = seconds
        if self.says:
            raise self.says
        self.painting += 1
        self.most_painting = max(self.most_painting, self.painting)
        try:
            await self.going_on.wait()
        finally:
            self.painting -= 1
        return {"picture": inputs["photo"]}

    async def facts(self, model: str, *, seconds: float) -> Facts:
        parameters = {"styles": self.styles} if self.styles else {}
        return Facts(model, "restyler-7", 1, self.instances, {}, {}, parameters)

    async def close(self) -> None:
        """There is nothing to close."""


def _request(style: int = 0, steps: int = 4) -> RestyleRequest:
    return RestyleRequest(PHOTO, style, steps, 1.0, 0)


async def test_the_server_names_its_styles_and_itself() -> None:
    async with RestylerClient("", FakeClock(), wire=ScriptedServer()) as client:
        assert await client.styles() == ("oil", "pencil")
        assert await client.identity() == "restyler-7"


async def test_a_server_that_names_no_styles_is_the_wrong_one() -> None:
    async with RestylerClient("", FakeClock(), wire=ScriptedServer("")) as client:
        with pytest.raises(ModelMissing, match="names no styles"):
            await client.styles()


@pytest.mark.parametrize(("instances", "pictures"), [(1, 4), (2, 5)])
async def test_each_instance_paints_one_picture_at_a_time(instances: int, pictures: int) -> None:
    server = ScriptedServer(instances=instances)
    server.going_on.clear()
    async with RestylerClient("", FakeClock(), wire=server) as client:
        tasks = [asyncio.create_task(client.restyle(_request())) for _ in range(pictures)]
        await _settle()
        server.going_on.set()
        painted = await asyncio.gather(*tasks)

    assert all(np.array_equal(picture, PHOTO) for picture in painted)
    assert server.most_painting == instances


async def test_the_line_is_bounded_and_those_in_it_are_served() -> None:
    server = ScriptedServer()
    server.going_on.clear()
    async with RestylerClient("", FakeClock(), most_waiting=2, wire=server) as client:
        await client.styles()
        tasks = [asyncio.create_task(client.restyle(_request())) for _ in range(3)]
        await _settle()

        with pytest.raises(ModelBusy, match="2 wait already"):
            await client.restyle(_request())

        server.going_on.set()
        assert len(await asyncio.gather(*tasks)) == 3


async def test_whoever_leaves_the_line_gives_up_the_place() -> None:
    server = ScriptedServer()
    server.going_on.clear()
    async with RestylerClient("", FakeClock(), most_waiting=1, wire=server) as client:
        await client.styles()
        first, second = (asyncio.create_task(client.restyle(_request())) for _ in range(2))
        await _settle()
        second.cancel()
        await _settle()
        third = asyncio.create_task(client.restyle(_request()))
        await _settle()
        server.going_on.set()

        assert np.array_equal(await first, await third)


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("said", "kind", "field"),
    [
        ("PICTURE_TOO_LARGE [photo]: the photo is 1200 x 64 px", PictureTooLarge, "photo"),
        ("STYLE_UNKNOWN [style]: there is no style 1; choose one of: 0 ink", StyleUnknown, "style"),
    ],
)
async def test_a_refusal_of_the_server_is_told_by_its_name(
    said: str, kind: type[StyleUnknown | PictureTooLarge], field: str
) -> None:
    server = ScriptedServer(says=Failed(ErrorClass.REFUSED, said))
    async with RestylerClient("", FakeClock(), wire=server) as client:
        with pytest.raises(kind, match=said.partition(": ")[2]) as caught:
            await client.restyle(_request())

    assert caught.value.field == field


async def test_numbers_that_are_none_are_the_networks_failure() -> None:
    said = "RESTYLER_NETWORK_FAILED [v]: the velocity at t = 1 is not finite"
    server = ScriptedServer(says=Failed(ErrorClass.FAILED, said))
    async with RestylerClient("", FakeClock(), wire=server) as client:
        with pytest.raises(NetworkFailed, match="not finite"):
            await client.restyle(_request())


async def test_words_that_nobody_knows_are_passed_on() -> None:
    server = ScriptedServer(says=Failed(ErrorClass.REFUSED, "unexpected shape for input 'photo'"))
    async with RestylerClient("", FakeClock(), wire=server) as client:
        with pytest.raises(TensorRefused, match="unexpected shape"):
            await client.restyle(_request())


async def test_a_slot_that_was_filled_anew_is_asked_again_for_its_styles() -> None:
    server = ScriptedServer(says=Failed(ErrorClass.REFUSED, "STYLE_UNKNOWN [style]: there is no style 1"))
    async with RestylerClient("", FakeClock(), wire=server) as client:
        with pytest.raises(StyleUnknown):
            await client.restyle(_request(style=1))
        server.styles = "ink"

        assert await client.styles() == ("ink",)


async def test_a_picture_has_as_much_time_as_its_steps_and_its_size_need() -> None:
    server = ScriptedServer()
    async with RestylerClient("", FakeClock(), wire=server) as client:
        await client.restyle(_request(steps=2))
        little = server.seconds
        await client.restyle(_request(steps=50))

    assert little < server.seconds <= allowed_seconds(50, 64 * 80)
    assert allowed_seconds(4, 512 * 512) < allowed_seconds(4, 1024 * 1024)
