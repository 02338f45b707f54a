"""What a GPU node serves is what a server without a GPU serves: the same names, the same tensors, nothing missing."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from inference.engines.errors import EngineMissing, WrongTarget
from inference.engines.gpu_repository import (
    VELOCITY,
    assemble_gpu_repository,
    planned_identities,
    planned_models,
)
from inference.engines.profiles import profiles
from inference.model_build.manifest import identities, shipped_model, shipped_models
from inference.model_build.notice import NOTICE_FILE
from inference.repository import SHIPPED
from inference.restyling.assembly import NAME as RESTYLER
from inference.restyling.assembly import SAMPLING
from inference.slots.contracts import FLOW, LATENT, SlotName
from inference.slots.filling import IN_USE, Filling, slot_folder, write_record
from inference.slots.recorded import GOLDEN_FILE
from tests.fakes.engines import TARGET, commit_engines
from tests.fakes.restyler_graphs import LATENT_STYLES, write_latent

MODELS = [model.name for model in shipped_models()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the repository of a node without models of an operator's own."""
    folder = tmp_path_factory.mktemp("node")
    commit_engines(folder / "engines", planned_identities(folder / "models"))
    made = assemble_gpu_repository(folder / "repository", folder / "models", folder / "engines", TARGET)
    assert sorted(made) == folders(folder / "repository")
    return folder / "repository"


def folders(repository: Path) -> list[str]:
    return sorted(path.name for path in repository.iterdir() if path.is_dir())


def _config(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def _signature(config: model_config_pb2.ModelConfig) -> tuple[object, ...]:
    tensors = [
        [(each.name, each.data_type, list(each.dims)) for each in side] for side in (config.input, config.output)
    ]
    return config.name, config.max_batch_size, *tensors


def _parameters(config: model_config_pb2.ModelConfig) -> dict[str, str]:
    return {key: value.string_value for key, value in config.parameters.items()}


def test_a_gpu_node_serves_every_model_and_the_network_that_the_restyler_calls(repository: Path) -> None:
    assert folders(repository) == sorted([*MODELS, VELOCITY])
    assert (repository / NOTICE_FILE).is_file()


@pytest.mark.parametrize("model", [*MODELS, VELOCITY])
def test_names_and_tensors_are_those_that_a_server_without_a_gpu_has(repository: Path, model: str) -> None:
    gpu, cpu = _config(repository / model / "config.pbtxt"), _config(SHIPPED / model / "configs" / "cpu.pbtxt")

    assert _signature(gpu) == _signature(cpu)


@pytest.mark.parametrize("model", [*MODELS, VELOCITY])
def test_the_back_end_finds_what_it_opens_and_nothing_more(repository: Path, model: str) -> None:
    config, version = _config(repository / model / "config.pbtxt"), repository / model / "1"
    wanted = {"model.plan"} if config.platform == "tensorrt_plan" else {"model.py", SAMPLING.name}

    assert {path.name for path in version.iterdir()} == wanted
    assert sorted(path.name for path in (repository / model).iterdir()) == ["1", "config.pbtxt"]


@pytest.mark.parametrize("model", MODELS)
def test_findings_name_the_model_alike_whatever_computed_them(repository: Path, model: str) -> None:
    assert _parameters(_config(repository / model / "config.pbtxt"))["identity"] == identities()[model]


def test_the_restyler_runs_its_steps_here_and_its_network_as_the_plan(repository: Path) -> None:
    parameters = _parameters(_config(repository / RESTYLER / "config.pbtxt"))

    assert parameters["graphs"] == "models"
    assert parameters["styles"].split(",") == list(shipped_model(RESTYLER).manifest.styles)
    assert (repository / VELOCITY / "1" / "model.plan").read_bytes() == b"plan of restyler-1"


class TestWhatIsMissing:
    def test_without_one_plan_nothing_is_changed(self, tmp_path: Path) -> None:
        wanted = planned_identities(tmp_path / "models")
        commit_engines(tmp_path / "engines", {name: of for name, of in wanted.items() if name != VELOCITY})

        with pytest.raises(EngineMissing, match=r"no engine of restyler-1"):
            assemble_gpu_repository(tmp_path / "repository", tmp_path / "models", tmp_path / "engines", TARGET)
        assert not (tmp_path / "repository").exists()

    def test_plans_of_another_gpu_are_refused(self, tmp_path: Path) -> None:
        commit_engines(tmp_path / "engines", planned_identities(tmp_path / "models"))

        with pytest.raises(WrongTarget, match="SM is 89 here and 90 in the plan"):
            assemble_gpu_repository(
                tmp_path / "repository",
                tmp_path / "models",
                tmp_path / "engines",
                TARGET.model_copy(update={"sm": 89}),
            )
        assert not (tmp_path / "repository").exists()


class TestAnOperatorsModel:
    def test_has_its_own_lengths_its_identity_and_its_answers(self, tmp_path: Path) -> None:
        filling = fill(tmp_path, SlotName.FACE_EMBEDDER, shapes={"descriptor": (512,)})
        commit_engines(tmp_path / "engines", planned_identities(tmp_path / "models"))

        assemble_gpu_repository(tmp_path / "repository", tmp_path / "models", tmp_path / "engines", TARGET)

        config = _config(tmp_path / "repository" / "face_embedder" / "config.pbtxt")
        assert [list(output.dims) for output in config.output] == [[512]]
        assert _parameters(config)["identity"] == filling.identity
        assert (tmp_path / "repository" / "face_embedder" / GOLDEN_FILE).is_file()

    def test_that_is_a_flow_is_served_by_its_plan_under_its_own_styles(self, tmp_path: Path) -> None:
        filling = fill(tmp_path, SlotName.RESTYLER, kind=FLOW, styles=("ink", "wash"))
        commit_engines(tmp_path / "engines", planned_identities(tmp_path / "models"))

        assemble_gpu_repository(tmp_path / "repository", tmp_path / "models", tmp_path / "engines", TARGET)

        parameters = _parameters(_config(tmp_path / "repository" / RESTYLER / "config.pbtxt"))
        assert (parameters["styles"], parameters["identity"]) == ("ink,wash", filling.identity)
        assert (
            (tmp_path / "repository" / VELOCITY / "1" / "model.plan").read_bytes().endswith(filling.identity.encode())
        )

    def test_that_has_four_graphs_is_served_without_a_plan(self, tmp_path: Path) -> None:
        fill(tmp_path, SlotName.RESTYLER, kind=LATENT, styles=LATENT_STYLES)
        commit_engines(tmp_path / "engines", planned_identities(tmp_path / "models"))

        made = assemble_gpu_repository(tmp_path / "repository", tmp_path / "models", tmp_path / "engines", TARGET)

        assert sorted(made) == sorted(MODELS)
        assert _parameters(_config(tmp_path / "repository" / RESTYLER / "config.pbtxt"))["graphs"] == "sessions"
        assert VELOCITY not in planned_models(tmp_path / "models")
        assert VELOCITY in planned_models(tmp_path / "models", [VELOCITY])  # who names it is told why not


def fill(
    folder: Path,
    slot: SlotName,
    *,
    kind: str = "",
    shapes: dict[str, tuple[int, ...]] | None = None,
    styles: tuple[str, ...] = (),
) -> Filling:
    """Have a slot filled, without the trial of what fills it."""
    home = slot_folder(folder / "models", slot)
    lies = home / "mine"
    lies.mkdir(parents=True)
    if kind == LATENT:
        write_latent(lies)
    np.savez(lies / GOLDEN_FILE, none=np.zeros(1))
    filling = Filling(slot, kind, "mine", "CC0-1.0", "ab" * 32, {}, shapes or {}, styles, lies)
    write_record(filling)
    (home / IN_USE).write_text("mine\n", "utf-8")
    return filling


class TestOptimisations:
    """Of the configurations with which a GPU serves; docs/engines.md says why for each model."""

    @pytest.mark.parametrize("model", sorted(profiles().keys() & {path.name for path in SHIPPED.iterdir()}))
    def test_the_smallest_and_the_largest_batch_are_warm_before_the_model_is_ready(self, model: str) -> None:
        config, batch = _config(SHIPPED / model / "config.pbtxt"), profiles()[model].batch
        warm = {(each.name, each.batch_size) for each in config.model_warmup}

        if config.max_batch_size:
            assert warm == {("least", batch.least), ("most", batch.most)}
        else:
            assert warm == {("only", 1)}
        for each in config.model_warmup:
            assert {name: list(tensor.dims) for name, tensor in each.inputs.items()} == {
                tensor.name: [abs(size) for size in tensor.dims] for tensor in config.input
            }

    @pytest.mark.parametrize("model", sorted(profiles().keys() & {path.name for path in SHIPPED.iterdir()}))
    def test_a_graph_that_is_recorded_fits_the_plan(self, model: str) -> None:
        config, batch = _config(SHIPPED / model / "config.pbtxt"), profiles()[model].batch
        sizes = [spec.batch_size for spec in config.optimization.cuda.graph_spec]

        assert config.optimization.cuda.graphs or not sizes
        assert all(batch.least <= size <= batch.most for size in sizes)
        assert sorted(set(sizes)) == sizes
