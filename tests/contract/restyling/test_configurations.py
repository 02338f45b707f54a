"""The restyler's configurations, its code and what it samples with agree."""

import ast
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from inference.repository import SHIPPED
from inference.restyling.assembly import (
    SAMPLING,
    FlowRestylerFiles,
    LatentRestylerFiles,
    RestylerFilesUnusable,
    assemble_restyler,
)
from inference.restyling.diffusion.flow import SIDE_MULTIPLE
from tests.contract.inference.test_model_repository import KNOWN_FIELDS
from tests.fakes.restyler_graphs import LATENT_STYLES, write_flow, write_latent

GPU, CPU = "config.pbtxt", "configs/cpu.pbtxt"
MODEL_CODE = SHIPPED / "restyler" / "model.py"


def _read(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def _tensors(config: model_config_pb2.ModelConfig) -> list[tuple[str, int, list[int]]]:
    return [(each.name, each.data_type, list(each.dims)) for each in (*config.input, *config.output)]


def _parameters(config: model_config_pb2.ModelConfig) -> dict[str, str]:
    return {key: value.string_value for key, value in config.parameters.items()}


@pytest.mark.parametrize("model", ["restyler", "restyler_velocity"])
def test_a_gpu_and_a_cpu_serve_one_signature(model: str) -> None:
    gpu, cpu = _read(SHIPPED / model / GPU), _read(SHIPPED / model / CPU)

    assert _tensors(gpu) == _tensors(cpu)
    assert gpu.max_batch_size == cpu.max_batch_size
    assert gpu.name == cpu.name == model


@pytest.mark.parametrize("model", ["restyler", "restyler_velocity"])
@pytest.mark.parametrize("file", [GPU, CPU])
def test_only_fields_that_the_server_knows_are_used(model: str, file: str) -> None:
    config = _read(SHIPPED / model / file)

    assert {field.name for field, _ in config.ListFields()} <= KNOWN_FIELDS
    assert not config.dynamic_batching.HasField("default_queue_policy")


def test_a_gpu_runs_the_steps_beside_the_plan_of_the_network() -> None:
    steps, network = _read(SHIPPED / "restyler" / GPU), _read(SHIPPED / "restyler_velocity" / GPU)

    assert steps.backend == "python"
    assert _parameters(steps)["graphs"] == "models"
    assert network.platform == "tensorrt_plan"
    assert {group.kind for group in network.instance_group} == {model_config_pb2.ModelInstanceGroup.KIND_GPU}


def test_the_steps_bring_every_photo_to_the_size_of_the_plan() -> None:
    side = int(_parameters(_read(SHIPPED / "restyler" / GPU))["canvas"])
    sizes = {
        tuple(tensor.dims)[1:] for tensor in _read(SHIPPED / "restyler_velocity" / GPU).input if len(tensor.dims) > 1
    }

    assert side % SIDE_MULTIPLE == 0
    assert sizes == {(3, side, side)}


def test_one_picture_at_a_time_is_painted() -> None:
    for file in (GPU, CPU):
        config = _read(SHIPPED / "restyler" / file)
        assert config.max_batch_size == 1
        assert [group.count for group in config.instance_group] == [1]


def test_what_is_copied_beside_the_model_needs_nothing_of_ours() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "onnxruntime"}
    foreign = {
        name
        for path in SAMPLING.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in _imported(node)
    }

    assert foreign <= allowed


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module.partition(".")[0]]
    return []


def test_the_served_code_imports_only_what_lies_beside_it() -> None:
    tree = ast.parse(MODEL_CODE.read_text("utf-8"))
    names = {name for node in ast.walk(tree) for name in _imported(node)}

    assert names <= {*sys.stdlib_module_names, "numpy", "diffusion", "triton_python_backend_utils"}


def test_the_assembled_configuration_names_the_styles(tmp_path: Path) -> None:
    files = FlowRestylerFiles(write_flow(tmp_path / "mine.onnx"), ("oil", "pop-art"))

    assemble_restyler(tmp_path / "restyler", files)

    for file in (GPU, CPU):
        assert _parameters(_read(tmp_path / "restyler" / file))["styles"] == "oil,pop-art"
        assert _parameters(_read(tmp_path / "restyler" / file))["family"] == "flow"
    assert (tmp_path / "restyler" / "1" / "velocity.onnx").is_file()
    assert (tmp_path / "restyler" / "1" / "diffusion" / "flow.py").read_bytes() == (SAMPLING / "flow.py").read_bytes()


def test_four_graphs_are_assembled_with_their_settings(tmp_path: Path) -> None:
    assemble_restyler(tmp_path / "restyler", LatentRestylerFiles(write_latent(tmp_path / "slot")))

    parameters = _parameters(_read(tmp_path / "restyler" / CPU))
    assert (parameters["family"], parameters["styles"]) == ("latent", ",".join(LATENT_STYLES))
    assert _parameters(_read(tmp_path / "restyler" / GPU))["graphs"] == parameters["graphs"] == "sessions"
    placed = {path.name for path in (tmp_path / "restyler" / "1").iterdir()}
    assert {"latent.json", "text_encoder.onnx", "vae_encoder.onnx", "unet.onnx", "vae_decoder.onnx"} < placed


@pytest.mark.parametrize("missing", ["latent.json", "unet.onnx"])
def test_nothing_is_assembled_when_a_file_is_missing(tmp_path: Path, missing: str) -> None:
    (write_latent(tmp_path / "slot") / missing).unlink()

    with pytest.raises(RestylerFilesUnusable, match="missing") as caught:
        assemble_restyler(tmp_path / "restyler", LatentRestylerFiles(tmp_path / "slot"))

    assert caught.value.field == missing
    assert not (tmp_path / "restyler").exists()


def test_a_network_without_styles_is_not_assembled(tmp_path: Path) -> None:
    with pytest.raises(RestylerFilesUnusable, match="names no styles"):
        assemble_restyler(tmp_path / "restyler", FlowRestylerFiles(write_flow(tmp_path / "mine.onnx"), ()))
