"""The real server serves what operators bring, in the place of what is shipped, and is known by its own answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from deploy.local.parts.triton import Models, TritonServer, triton_server
from inference.canary.rounds import Outcome, Place, answers_rightly, check_server, examine
from inference.client.client import InferenceClient
from inference.model_build.sessions import ModelSession
from inference.repository import assemble_repository
from inference.slots import installing
from inference.slots.evidence import COLLINS, PLAIN
from inference.slots.filling import Filling
from services.analysis.vision.triton_models import TritonModels
from services.chassis.clock import SystemClock
from tests.integration.slots.homes import own_home
from tests.unit.inference.slots import brought

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Served:
    """A server, what it serves, and the operator's models in it."""

    server: TritonServer
    repository: Path
    embedder: Filling
    detector: Filling


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("slots")
    home, repository = own_home(folder), folder / "repository"
    embedder = installing.use(home, "face_embedder", [brought.embedder(folder / "mine.onnx")])
    detector = installing.use(home, "face_detector", [brought.detector(folder / "finder.onnx")])

    async def models() -> Models:
        names = assemble_repository(repository, home)
        canary = partial(answers_rightly, repository=repository)
        return Models(repository=repository, names=names, canary=canary, environment={})

    async with triton_server(folder, models) as server:
        yield Served(server, repository, embedder, detector)


@pytest_asyncio.fixture(loop_scope="module")
async def client(served: Served) -> AsyncIterator[InferenceClient]:
    async with InferenceClient(served.server.address, SystemClock()) as client:
        yield client


async def test_an_embedder_of_another_length_is_served(served: Served, client: InferenceClient) -> None:
    chips = COLLINS.chips()
    descriptors = await TritonModels(client).embed(chips)
    alone = ModelSession(served.embedder.folder / "model.onnx").run({"chip": np.stack(chips)})
    assert descriptors.shape == (2, 225)
    np.testing.assert_allclose(descriptors, alone["descriptor"].astype(np.float32), atol=1e-4)


async def test_a_detector_with_fewer_candidates_is_served(client: InferenceClient) -> None:
    models = TritonModels(client)
    found = await models.detect(COLLINS.canvas())
    assert found.boxes.shape == (1, 4)
    np.testing.assert_allclose(found.boxes[0], COLLINS.box, atol=1)
    assert (await models.detect(PLAIN)).scores.max() < 0.5


async def test_the_server_says_whose_models_it_serves(served: Served, client: InferenceClient) -> None:
    names = ("face_embedder", "face_detector", "scene_classifier")
    identities = [await client.identity(name) for name in names]
    assert identities[:2] == [served.embedder.identity, served.detector.identity]
    assert "-custom-" not in identities[2]


async def test_the_canary_knows_the_answers_of_what_is_served(served: Served) -> None:
    await check_server(Place(served.server.address, None, served.repository), seconds=60)


async def test_a_model_whose_answers_nobody_knows_is_alive_and_no_more(served: Served) -> None:
    outcomes = {
        place: {each.model: each.outcome for each in await examine(place, seconds=60)}
        for place in (Place(served.server.address, None, served.repository), Place(served.server.address))
    }

    knows, knows_not = outcomes.values()
    assert {knows[model] for model in ("face_embedder", "face_detector")} == {Outcome.RIGHT}
    assert {knows_not[model] for model in ("face_embedder", "face_detector")} == {Outcome.ALIVE}
    assert knows["scene_classifier"] == knows_not["scene_classifier"] == Outcome.RIGHT


@pytest.mark.parametrize("config", ["config.pbtxt", "configs/cpu.pbtxt"])
async def test_both_back_ends_have_the_operator_s_lengths_and_name(served: Served, config: str) -> None:
    text = (served.repository / "face_embedder" / config).read_text("utf-8")
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert [list(output.dims) for output in parsed.output] == [[225]]
    assert parsed.parameters["identity"].string_value == served.embedder.identity


async def test_what_is_taken_out_is_not_assembled_again(tmp_path: Path) -> None:
    home = own_home(tmp_path)
    installing.use(home, "face_embedder", [brought.embedder(tmp_path / "mine.onnx")])
    installing.unuse(home, "face_embedder")
    assemble_repository(tmp_path / "repository", home)
    text = (tmp_path / "repository" / "face_embedder" / "config.pbtxt").read_text("utf-8")
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert [list(output.dims) for output in parsed.output] == [[128]]
    assert parsed.parameters["identity"].string_value == "face_embedder-1"


@pytest.mark.parametrize("kind", ["flow", "latent"])
async def test_a_restyler_of_one_s_own_is_assembled(kind: str, tmp_path: Path) -> None:
    home, repository = own_home(tmp_path), tmp_path / "repository"
    files = [brought.velocity(tmp_path / "mine.onnx")]
    if kind == "latent":
        files = sorted(brought.latent(tmp_path / "latent").iterdir())
    filling = installing.use(home, "restyler", files)
    assert "restyler" in assemble_repository(repository, home)
    text = (repository / "restyler" / "configs" / "cpu.pbtxt").read_text("utf-8")
    parameters = text_format.Parse(text, model_config_pb2.ModelConfig()).parameters
    assert parameters["identity"].string_value == filling.identity
    assert (parameters["family"].string_value, parameters["styles"].string_value) == (kind, ",".join(filling.styles))
    assert (repository / "restyler" / "1" / ("velocity.onnx" if kind == "flow" else "unet.onnx")).is_file()
