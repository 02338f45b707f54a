"""Models are held against the contract of their slot: honest ones pass, and wrong ones hear what to change."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper

from inference.slots.checking import Checked, Step, check
from inference.slots.contracts import FLOW, LATENT, contract_of, contracts_of
from inference.slots.violations import SlotUnknown
from tests.fakes.restyler_graphs import write_latent
from tests.unit.inference.slots import brought

HONEST: dict[str, Callable[[Path], object]] = {
    "face_detector": brought.detector,
    "face_embedder": brought.embedder,
    "scene_encoder": brought.scene_encoder,
    "text_encoder": brought.text_encoder,
    "restyler": brought.velocity,
}


def held(slot: str, folder: Path, write: Callable[[Path], object]) -> Checked:
    contract = contracts_of(slot)[0]
    write(folder / f"{contract.graphs[0].name}.onnx")
    return check(contract, folder)


def complaints(slot: str, folder: Path, write: Callable[[Path], object]) -> str:
    return "\n".join(str(violation) for violation in held(slot, folder, write).violations)


@pytest.mark.parametrize("slot", HONEST)
def test_an_honest_model_passes(slot: str, tmp_path: Path) -> None:
    assert held(slot, tmp_path, HONEST[slot]).violations == ()


def test_every_step_is_told(tmp_path: Path) -> None:
    steps = list[Step]()
    brought.embedder(tmp_path / "model.onnx")
    check(contracts_of("face_embedder")[0], tmp_path, steps.append)
    assert [step.done for step in steps] == list(range(steps[-1].total + 1))
    assert "tells people apart" in [step.name for step in steps]


def test_a_descriptor_may_have_another_length(tmp_path: Path) -> None:
    assert held("face_embedder", tmp_path, lambda path: brought.embedder(path, rows=10)).violations == ()
    refused = complaints("face_embedder", tmp_path, lambda path: brought.embedder(path, rows=6))
    assert "output 'descriptor'" in refused
    assert "D=64..1024" in refused


def test_a_foreign_signature_is_told_what_to_change(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        nodes = [
            brought.node("ReduceMean", ["data"], ["mean"], axes=[2, 3], keepdims=0),
            brought.node("MatMul", ["mean", "weight"], ["fc1"]),
        ]
        inputs: brought.Described = {"data": ("FP32", ["N", 3, 112, 112])}
        brought.save(path, nodes, inputs, {"fc1": ("FP32", ["N", 512])}, {"weight": np.ones((3, 512), np.float32)})

    heard = complaints("face_embedder", tmp_path, write)
    assert "input 'data': found FP32 [N, 3, 112, 112]" in heard
    assert "rename it to 'chip', make it UINT8, make its shape [N, 150, 150, 3]" in heard
    assert "move scaling, channel order and transposing into the graph" in heard
    assert "output 'fc1': found FP32 [N, 512]" in heard
    assert "rename it to 'descriptor'" in heard


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        nodes = [
            brought.node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
            brought.node("ReduceMean", ["floats"], ["boxes"], axes=[1, 2, 3], keepdims=1),
        ]
        inputs: brought.Described = {"image": ("UINT8", [1, 640, 640, 3]), "size": ("INT64", [2])}
        brought.save(path, nodes, inputs, {"boxes": ("FP32", [1, 1, 1, 1])}, {})

    faults = held("face_detector", tmp_path, write).violations
    assert [fault.field for fault in faults] == [
        "input 'image'", "input 'size'", "output 'boxes'", "output 'scores'", "output 'landmarks'",
    ]  # fmt: skip
    assert "leave its first axis open" in faults[0].remedy
    assert (faults[1].expected, faults[3].found) == ("no such input", "none")


@pytest.mark.parametrize(
    ("slot", "write", "heard"),
    [
        ("face_embedder", lambda path: brought.embedder(path, scale=0.3), "multiply the descriptor by a number from"),
        ("face_embedder", lambda path: brought.embedder(path, broken=True), "NaN or infinity"),
        ("face_detector", lambda path: brought.detector(path, seen=0.1), "no score of 0.5 or more"),
        ("face_detector", lambda path: brought.detector(path, seen=3.0), "apply the sigmoid"),
        ("face_detector", lambda path: brought.detector(path, relative=True), "multiply by 640"),
        ("scene_encoder", lambda path: brought.scene_encoder(path, softmax=False), "end with softmax"),
        ("text_encoder", lambda path: brought.text_encoder(path, masks=False), "apply the mask"),
        ("text_encoder", lambda path: brought.text_encoder(path, unit=False), "divide by the Euclidean norm"),
        ("restyler", lambda path: brought.velocity(path, styles=""), "metadata property 'styles'"),
        ("restyler", lambda path: brought.velocity(path, deaf=True), "let the answer depend on the style"),
        ("restyler", lambda path: brought.velocity(path, far=True), "levels from the photo at strength 0.1"),
    ],
)
def test_what_misbehaves_is_told_how(slot: str, write: Callable[[Path], object], heard: str, tmp_path: Path) -> None:
    assert heard in complaints(slot, tmp_path, write)


def test_a_model_of_another_slot_is_refused(tmp_path: Path) -> None:
    assert held("scene_encoder", tmp_path, brought.detector).violations != ()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a graph", b"x" * 4096])
def test_what_is_no_onnx_is_refused(content: bytes, tmp_path: Path) -> None:
    (fault,) = held("face_embedder", tmp_path, lambda path: path.write_bytes(content)).violations
    assert "no ONNX" in fault.found
    assert "export the model to ONNX" in fault.remedy


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        with path.open("wb") as stream:
            stream.truncate(1025 * 1024 * 1024)  # of holes

    (fault,) = held("face_embedder", tmp_path, write).violations
    assert (fault.found, fault.expected) == ("1025 MiB", "at most 1024 MiB")


def test_weights_outside_of_the_file_are_refused(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        model = onnx.load(str(brought.embedder(path)))
        constant = helper.make_tensor("large", TensorProto.FLOAT, [64, 64], np.ones(4096, np.float32))
        constant.raw_data = np.ones(4096, np.float32).tobytes()
        del constant.float_data[:]
        model.graph.initializer.append(constant)
        external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=1024)
        onnx.save(model, str(path))

    (fault,) = held("face_embedder", tmp_path, write).violations
    assert fault.found == "weights outside of it, in weights.bin"
    assert "save_as_external_data=False" in fault.remedy


def test_operators_of_a_custom_library_are_refused(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        nodes = [helper.make_node("FaceAlign", ["chip"], ["descriptor"], domain="acme")]
        inputs: brought.Described = {"chip": ("UINT8", ["N", 150, 150, 3])}
        brought.save(path, nodes, inputs, {"descriptor": ("FP32", ["N", 128])}, {}, domain="acme")

    (fault,) = held("face_embedder", tmp_path, write).violations
    assert "acme::FaceAlign" in fault.found


def test_a_graph_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        nodes = [brought.node("Gemm", ["chip", "chip"], ["descriptor"])]  # of bytes, which Gemm does not take
        inputs: brought.Described = {"chip": ("UINT8", ["N", 150, 150, 3])}
        brought.save(path, nodes, inputs, {"descriptor": ("FP32", ["N", 128])}, {})

    (fault,) = held("face_embedder", tmp_path, write).violations
    assert "a graph that cannot be opened" in fault.found


def test_an_answer_that_depends_on_company_is_refused(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        model = onnx.load(str(brought.embedder(path)))
        model.graph.node[-1].output[0] = "own"
        model.graph.node.extend(
            [
                brought.node("ReduceMean", ["own"], ["of_all"], axes=[0], keepdims=1),
                brought.node("Sub", ["own", "of_all"], ["descriptor"]),
            ]
        )
        onnx.save(model, str(path))

    (fault,) = held("face_embedder", tmp_path, write).violations
    assert "alone than in a batch" in fault.found


def test_four_graphs_fill_the_latent_slot(tmp_path: Path) -> None:
    brought.latent(tmp_path)
    assert check(contract_of("restyler", LATENT), tmp_path).violations == ()


def test_a_latent_model_with_a_broken_graph_is_refused(tmp_path: Path) -> None:
    write_latent(tmp_path)
    (tmp_path / "latent.json").unlink()
    brought.velocity(tmp_path / "unet.onnx")
    fields = {fault.field for fault in check(contract_of("restyler", LATENT), tmp_path).violations}
    assert {"latent.json", "output 'v'", "input 'x'"} <= fields


def test_a_slot_that_there_is_not_is_named() -> None:
    with pytest.raises(SlotUnknown, match="choose one of face_detector"):
        contracts_of("face_painter")
    with pytest.raises(SlotUnknown, match="knows no kind"):
        contract_of("face_detector", FLOW)
