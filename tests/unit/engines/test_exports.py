"""From a built model to what a GPU node needs."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.engines.errors import GraphUnsupported
from inference.engines.exports import export, find_export
from inference.engines.manifest import Precision
from inference.engines.targets import target
from inference.model_build.manifest import Model
from tests.unit.engines.small import PROFILE, SIDE, built, small_export, small_graph, small_model

NODE = target(gpu="L4", sm=None)


def test_a_graph_whose_deltas_allow_it_becomes_half(tmp_path: Path) -> None:
    record = small_export(tmp_path).record

    assert record.precision == Precision.FP16
    assert [(delta.metric, delta.holds) for delta in record.deltas] == [
        ("largest_difference", True),
        ("disagreement", True),
    ]
    assert 0 < record.deltas[0].value < 0.005


def test_a_graph_that_overflows_in_half_stays_single_and_says_why(tmp_path: Path) -> None:
    made = small_export(tmp_path, scale=1e6)

    assert made.record.precision == Precision.FP32
    assert [delta.value for delta in made.record.deltas] == [float("inf")] * 2
    assert find_export(made.folder) == made


def test_a_limit_of_nothing_keeps_the_graph_single(tmp_path: Path) -> None:
    strict = PROFILE.model_copy(
        update={"limits": tuple(limit.model_copy(update={"most": 0.0}) for limit in PROFILE.limits)}
    )

    assert small_export(tmp_path, profile=strict).record.precision == Precision.FP32


def test_half_is_not_tried_where_the_profile_does_not_want_it(tmp_path: Path) -> None:
    record = small_export(tmp_path, profile=PROFILE.model_copy(update={"half": False})).record

    assert (record.precision, record.deltas) == (Precision.FP32, ())


def test_two_machines_come_to_the_same_key(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()

    one, other = map(small_export, folders)

    assert one.parts(NODE).key == other.parts(NODE).key


def test_another_profile_or_another_model_is_another_key(tmp_path: Path) -> None:
    keys = {
        small_export(tmp_path).parts(NODE).key,
        small_export(tmp_path, profile=PROFILE.model_copy(update={"half": False})).parts(NODE).key,
        small_export(tmp_path, scale=2.0).parts(NODE).key,
    }

    assert len(keys) == 3


def test_another_golden_question_is_another_export(tmp_path: Path) -> None:
    model, lies = small_model(tmp_path), built(tmp_path / "built", small_graph())
    asked = model.manifest.inputs[0].model_copy(update={"golden": (128.0,) * SIDE * SIDE * 3})
    other = Model(model.folder, model.manifest.model_copy(update={"inputs": (asked,)}))

    folders = {export(made, lies, tmp_path / "engines", under=PROFILE).folder for made in (model, other, other)}

    assert len(folders) == 2


def test_a_second_export_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = small_export(tmp_path)
    monkeypatch.delattr("inference.engines.exports.half.run")

    assert small_export(tmp_path) == first


def test_the_questions_are_the_golden_input_and_pictures_with_their_answers(tmp_path: Path) -> None:
    probes, answers = small_export(tmp_path).probes()

    assert [probe.name for probe in probes] == ["golden", "astronaut", "chelsea", "coffee", "hopper"]
    assert {probe.inputs["image"].shape for probe in probes} == {(1, SIDE, SIDE, 3)}
    assert np.sum([answer["probabilities"] for answer in answers]) == pytest.approx(5)


def test_an_export_without_its_record_is_none(tmp_path: Path) -> None:
    made = small_export(tmp_path)
    (made.folder / "export.json").unlink()

    assert find_export(made.folder) is None
    assert small_export(tmp_path).record == made.record


def test_a_graph_that_tensorrt_does_not_read_leaves_nothing(tmp_path: Path) -> None:
    graph = small_graph()
    graph.graph.node[0].op_type = "Identity"

    with pytest.raises(GraphUnsupported):
        export(small_model(tmp_path), built(tmp_path / "built", graph), tmp_path / "engines", under=PROFILE)
    assert [path.name for path in (tmp_path / "engines").rglob("*") if path.is_file()] == [".lock"]


def test_the_record_says_what_was_measured(tmp_path: Path) -> None:
    record = json.loads((small_export(tmp_path).folder / "export.json").read_text("utf-8"))

    assert (record["identity"], record["precision"], record["inputs"]) == (
        "small_net-1",
        "fp16",
        {"image": [SIDE, SIDE, 3]},
    )
