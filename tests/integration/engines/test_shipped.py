"""What becomes of the shipped models: precision by measured deltas, and graphs that TensorRT reads."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from inference.engines.exports import Export, default_home, export
from inference.engines.half import tensor_types
from inference.engines.manifest import Precision
from inference.engines.profiles import served_models
from inference.model_build.build import build_all, built_model
from inference.model_build.build import default_home as models_home
from inference.model_build.manifest import shipped_model

# docs/engines.md has the measured deltas.
CHOSEN = {
    "face_detector": Precision.FP16,
    "face_embedder": Precision.FP16,
    "scene_classifier": Precision.FP16,
    "sensitive_content": Precision.FP16,
    "text_detector": Precision.FP16,
    "text_encoder": Precision.FP16,
    "text_reader": Precision.FP32,
    "restyler_velocity": Precision.FP16,
}


@pytest.fixture(scope="module")
def models() -> Path:
    build_all(models_home())
    return models_home()


def exported(served: str, models: Path) -> Export:
    source = served_models([served])[served]
    return export(shipped_model(source), built_model(models, source), default_home(), served=served)


@pytest.mark.parametrize("served", sorted(CHOSEN))
def test_the_precision_of_a_shipped_model_is_the_measured_one(served: str, models: Path) -> None:
    made = exported(served, models)

    assert made.record.precision == CHOSEN[served]
    assert all(delta.holds for delta in made.record.deltas) == (CHOSEN[served] == Precision.FP16)


@pytest.mark.parametrize("served", sorted(CHOSEN.keys() - {"restyler_velocity"}))
def test_a_typed_graph_has_the_tensors_that_the_model_is_served_with(served: str, models: Path) -> None:
    graph = onnx.load(str(exported(served, models).onnx))
    types = tensor_types(graph)
    manifest = shipped_model(served).manifest

    assert [value.name for value in graph.graph.input] == [tensor.name for tensor in manifest.inputs]
    assert {value.name for value in graph.graph.output} == {tensor.name for tensor in manifest.outputs}
    assert TensorProto.FLOAT16 not in {types[value.name] for value in (*graph.graph.input, *graph.graph.output)}
