"""The two configurations of each model, its manifest and its code agree."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from deploy.local.parts.triton import CORE_RESOURCE
from inference.model_build.manifest import FOLDER, Model, Tensor, shipped_models
from inference.model_build.notice import NOTICE_FILE, notice
from inference.repository import SHIPPED
from inference.vision import alignment, faces, kinds, pictures, reading, search, sensitive, text, words

MODELS = shipped_models()
SINGLE_RUNS = [model for model in MODELS if model.manifest.network is None]
"""Models of which a request is one run; the restyler's steps are in tests/contract/restyling."""

# What `ModelConfig` had in the server of the wheel (2.51); a newer field would be refused when the model is loaded.
KNOWN_FIELDS = {
    "name",
    "platform",
    "backend",
    "max_batch_size",
    "input",
    "output",
    "instance_group",
    "dynamic_batching",
    "parameters",
    "model_warmup",
    "optimization",
}


def _read(path: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


def _gpu(model: Model) -> model_config_pb2.ModelConfig:
    return _read(SHIPPED / model.name / "config.pbtxt")


def _cpu(model: Model) -> model_config_pb2.ModelConfig:
    return _read(SHIPPED / model.name / "configs" / "cpu.pbtxt")


def _described(tensor: Tensor) -> tuple[str, str, list[int]]:
    return tensor.name, f"TYPE_{tensor.element}", list(tensor.shape)


def _configured(tensor: model_config_pb2.ModelInput) -> tuple[str, str, list[int]]:
    return tensor.name, model_config_pb2.DataType.Name(tensor.data_type), list(tensor.dims)


def test_every_model_has_a_place_in_the_repository() -> None:
    assert {model.name for model in MODELS} <= {path.parent.name for path in SHIPPED.glob("*/config.pbtxt")}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("read", [_gpu, _cpu])
def test_both_configurations_have_the_tensors_of_the_manifest(model: Model, read: object) -> None:
    assert callable(read)
    config = read(model)

    assert config.name == model.name
    assert config.max_batch_size == model.manifest.batching.largest
    assert [_configured(tensor) for tensor in config.input] == [_described(t) for t in model.manifest.inputs]
    assert [_configured(tensor) for tensor in config.output] == [_described(t) for t in model.manifest.outputs]


@pytest.mark.parametrize("model", SINGLE_RUNS, ids=lambda model: model.name)
def test_a_gpu_serves_the_plan_and_a_cpu_the_python_back_end(model: Model) -> None:
    gpu, cpu = _gpu(model), _cpu(model)

    assert gpu.platform == "tensorrt_plan"
    assert {group.kind for group in gpu.instance_group} == {model_config_pb2.ModelInstanceGroup.KIND_GPU}
    assert cpu.backend == "python"
    assert {group.kind for group in cpu.instance_group} == {model_config_pb2.ModelInstanceGroup.KIND_CPU}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("read", [_gpu, _cpu])
def test_requests_are_merged_without_a_queue_policy(model: Model, read: object) -> None:
    assert callable(read)
    config = read(model)

    assert config.HasField("dynamic_batching")
    assert not config.dynamic_batching.HasField("default_queue_policy")
    assert all(size <= config.max_batch_size for size in config.dynamic_batching.preferred_batch_size)


def test_what_nobody_waits_for_takes_turns_at_the_cores() -> None:
    takes_turns = {
        model.name
        for model in MODELS
        for group in _cpu(model).instance_group
        for resource in group.rate_limiter.resources
        if (resource.name, getattr(resource, "global"), resource.count) == (CORE_RESOURCE, True, 1)
    }

    assert takes_turns == {model.name for model in MODELS} - {"text_encoder", "restyler"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("read", [_gpu, _cpu])
def test_only_fields_that_the_server_knows_are_used(model: Model, read: object) -> None:
    assert callable(read)

    assert {field.name for field, _ in read(model).ListFields()} <= KNOWN_FIELDS


@pytest.mark.parametrize("model", SINGLE_RUNS, ids=lambda model: model.name)
def test_a_model_is_warm_before_it_is_ready(model: Model) -> None:
    (warmup,) = _cpu(model).model_warmup

    assert {name: list(tensor.dims) for name, tensor in warmup.inputs.items()} == {
        tensor.name: list(tensor.shape) for tensor in model.manifest.inputs
    }


def test_the_notice_says_what_the_manifests_say() -> None:
    committed = (FOLDER / NOTICE_FILE).read_text("utf-8")

    made = notice([each.manifest for model in MODELS for each in (model, *model.parts)])
    assert committed == made, "copy the NOTICE that pellicule models build writes beside the models"


def test_the_readme_names_every_model() -> None:
    readme = (FOLDER.parent / "README.md").read_text("utf-8")

    assert [model.name for model in MODELS if f"| `{model.name}` |" not in readme] == []


def test_the_code_and_the_manifests_have_the_same_numbers() -> None:
    by_name = {model.name: model.manifest for model in MODELS}
    detector, embedder = by_name["face_detector"], by_name["face_embedder"]

    assert detector.thresholds == {
        "show": faces.SHOW_SCORE,
        "embed": faces.EMBED_SCORE,
        "embed_side": faces.EMBED_SIDE_PIXELS,
        "overlap": faces.OVERLAP,
    }
    assert detector.inputs[0].shape[0] == pictures.DETECTOR_SIDE
    assert by_name["scene_classifier"].inputs[0].shape[0] == pictures.SCENE_SIDE
    assert embedder.inputs[0].shape[0] == alignment.CHIP_SIDE
    assert by_name["scene_classifier"].outputs[2].shape == (len(kinds.KINDS),)
    assert by_name["scene_classifier"].thresholds == {"photo": kinds.PHOTO_SCORE}


def test_what_reads_text_agrees_with_its_manifests() -> None:
    by_name = {model.name: model.manifest for model in MODELS}
    detector, reader = by_name["text_detector"], by_name["text_reader"]

    assert detector.thresholds == {
        "pixel": text.PIXEL_SCORE,
        "box": text.BOX_SCORE,
        "read_area": kinds.READ_AREA,
        "read_lines": kinds.READ_LINES,
        "most_lines": text.MOST_LINES,
    }
    assert reader.thresholds == {"keep": reading.KEEP_SCORE}
    assert detector.inputs[0].shape == by_name["face_detector"].inputs[0].shape  # one canvas serves both
    assert reader.inputs[0].shape == (text.LINE_HEIGHT, text.LINE_WIDTH, 3)
    assert len(reading.characters()) == 6625
    assert len(set(reading.characters())) == 6625


def test_what_compares_words_agrees_with_the_text_encoder() -> None:
    encoder = next(model.manifest for model in MODELS if model.name == "text_encoder")
    labels = search.shipped_label_vectors()

    assert encoder.inputs[0].shape == (words.LENGTH,)
    assert labels.encoder == encoder.identity
    assert labels.vectors.shape == (len(search.label_sentences()), *encoder.outputs[0].shape)
    with np.load(Path(search.__file__).with_name("label_vectors.npz")) as arrays:
        assert arrays["sentences"].tolist() == list(search.label_sentences())  # else record them anew


def test_the_code_and_the_manifest_rate_alike() -> None:
    manifest = next(model.manifest for model in MODELS if model.name == "sensitive_content")

    assert manifest.thresholds == {"review": sensitive.REVIEW_SCORE, "exclude": sensitive.EXCLUDE_SCORE}
