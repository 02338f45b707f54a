"""Exports: what lies between a model and its plan, the typed graph and the probes with their right outputs.

An export is made once on any machine, and is all that a plan is built from. It lies in
`<home>/exports/<model>/<key>/`: `model.onnx`, `probes.npz`, and `export.json`, which is written last. Graphs that
TensorRT does not read are refused here, before a GPU node finds out.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper
from pydantic import ValidationError

from inference.engines import deltas, half, probes
from inference.engines.deltas import Delta, Tensors
from inference.engines.documents import Document
from inference.engines.errors import GraphUnsupported
from inference.engines.manifest import KeyParts, Precision
from inference.engines.probes import Input, Probe
from inference.engines.profiles import Profile, profile
from inference.engines.targets import Target
from inference.folders import alone, move_into_place, scratch_folder, user_cache
from inference.model_build.build import BuiltModel
from inference.model_build.code_digest import code_digest
from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import Digest, Model, Name

ONNX_FILE: Final = "model.onnx"
PROBES_FILE: Final = "probes.npz"
RECORD_FILE: Final = "export.json"
# Operators that the supported-operators list of TensorRT's ONNX parser has no support for.
UNREAD: Final = frozenset({
    "ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "StringNormalizer",
    "TfIdfVectorizer",
})  # fmt: skip


class Record(Document):
    """What `export.json` says.

    Attributes:
        model: the served model.
        identity: what findings name it by.
        inputs: input -> sizes without the batch.
        deltas: of half precision against single, as measured here; also when half was not taken.
    """

    model: Name
    identity: str
    precision: Precision
    onnx_sha256: Digest
    inputs: dict[str, tuple[int, ...]]
    profile: Profile
    deltas: tuple[Delta, ...]


@dataclass(frozen=True)
class Export:
    """A typed graph that lies ready, and what it must answer."""

    record: Record
    folder: Path

    @property
    def onnx(self) -> Path:
        """The typed graph."""
        return self.folder / ONNX_FILE

    def parts(self, target: Target) -> KeyParts:
        """Return what an engine of this graph on a target depends on; its key follows."""
        record = self.record
        return KeyParts(
            model=record.model,
            onnx_sha256=record.onnx_sha256,
            precision=record.precision,
            batch=record.profile.batch,
            shapes=record.profile.shapes,
            target=target,
        )

    def probes(self) -> tuple[list[Probe], list[dict[str, NDArray[np.generic]]]]:
        """Read the probes, and what ONNX Runtime answers to each in single precision."""
        sides: dict[str, dict[str, dict[str, NDArray[np.generic]]]] = {}
        with np.load(self.folder / PROBES_FILE, allow_pickle=False) as arrays:
            for name in arrays.files:
                probe, side, tensor = name.split("/")
                sides.setdefault(probe, {"in": {}, "out": {}})[side][tensor] = arrays[name]
        return [Probe(name, each["in"]) for name, each in sides.items()], [each["out"] for each in sides.values()]


def default_home() -> Path:
    """Return the folder of exports and engines: `engines` in Pellicule's part of the user's cache."""
    return user_cache("engines")


def find_export(folder: Path) -> Export | None:
    """Read an export, or say by None that there is no whole one."""
    try:
        record = Record.model_validate_json((folder / RECORD_FILE).read_text("utf-8"))
    except (FileNotFoundError, ValidationError):
        return None
    return Export(record, folder)


def export(
    model: Model,
    built: BuiltModel,
    home: Path,
    *,
    served: str | None = None,
    under: Profile | None = None,
) -> Export:
    """Make a model's typed graph lie ready; what lies there already is left alone.

    Args:
        model: the model.
        built: as it lies built on this machine.
        home: the folder of engines, made when it is missing.
        served: the name that the plan is served under; the model's own when it is left out.
        under: the profile; the shipped one of that name when it is left out.

    Raises:
        GraphUnsupported: TensorRT would not read the graph.
        ProfileInvalid: the model has no profile.
    """
    name = served or model.name
    chosen = under or profile(name)
    target = home / "exports" / name / _key(model, built, chosen)
    with alone(home):
        present = find_export(target)
        if present is not None:
            return present
        with scratch_folder(home) as scratch:
            record = _write(scratch, name, model, built, chosen)
            move_into_place(scratch, target)
    return Export(record, target)


def graph_inputs(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> tuple[Input, ...]:
    """List the inputs of a graph.

    Args:
        model: the graph.
        shapes: sizes for inputs that the graph leaves free, without the batch.

    Raises:
        GraphUnsupported: a size besides the batch is free and no size is given for it.
    """
    constants = {constant.name for constant in model.graph.initializer}
    return tuple(_input(value, shapes) for value in model.graph.input if value.name not in constants)


def check_readable(name: str, model: onnx.ModelProto) -> None:
    """Refuse graphs that TensorRT does not read.

    Raises:
        GraphUnsupported: an operator is unknown to it, or 8-bit pixels go into anything but a cast.
    """
    unread = sorted({node.op_type for node in model.graph.node} & UNREAD)
    if unread:
        raise GraphUnsupported(
            f"{name}: TensorRT reads no {', '.join(unread)}; convert the model from its float weights", field=name
        )
    pixels = {value.name for value in model.graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
    readers = [node.op_type for node in model.graph.node if node.op_type != "Cast" and pixels & set(node.input)]
    if readers:
        raise GraphUnsupported(
            f"{name}: TensorRT takes UINT8 at a Cast only, but {readers[0]} reads it; cast first", field=name
        )


def _input(value: onnx.ValueInfoProto, shapes: Mapping[str, Sequence[int]]) -> Input:
    tensor = value.type.tensor_type
    sizes = tuple(shapes.get(value.name, [size.dim_value for size in tensor.shape.dim[1:]]))
    if not all(size > 0 for size in sizes):
        raise GraphUnsupported(
            f"input {value.name!r} has free sizes besides the batch; fix them under shapes in profiles.toml",
            field=value.name,
        )
    return Input(value.name, helper.tensor_dtype_to_np_dtype(tensor.elem_type), sizes)


def _write(folder: Path, name: str, model: Model, built: BuiltModel, plan: Profile) -> Record:
    source = onnx.load(str(built.path))
    check_readable(name, source)
    inputs = graph_inputs(source, plan.shapes)
    asked = probes.probes(model.manifest, inputs)
    right = half.run(source, asked)
    typed, measured = half.choose(source, plan, asked, right)
    data = typed.SerializeToString(deterministic=True)
    (folder / ONNX_FILE).write_bytes(data)
    _write_probes(folder / PROBES_FILE, asked, right)
    record = Record(
        model=name,
        identity=built.identity,
        precision=Precision.FP32 if typed is source else Precision.FP16,
        onnx_sha256=hashlib.sha256(data).hexdigest(),
        inputs={each.name: each.shape for each in inputs},
        profile=plan,
        deltas=measured,
    )
    (folder / RECORD_FILE).write_text(record.model_dump_json(indent=2) + "\n", "utf-8")
    return record


def _write_probes(path: Path, asked: Sequence[Probe], right: Sequence[Tensors]) -> None:
    arrays = {
        f"{probe.name}/{side}/{name}": array
        for probe, answer in zip(asked, right, strict=True)
        for side, tensors in (("in", probe.inputs), ("out", answer))
        for name, array in tensors.items()
    }
    np.savez_compressed(path, **arrays)


def _key(model: Model, built: BuiltModel, plan: Profile) -> str:
    digest = hashlib.sha256(
        f"{built.sha256} {plan.model_dump_json()} {_own_digest()} {onnxruntime.__version__}".encode()
    )
    for path in sorted(probes.PICTURES.glob("*.[jp][pn]g")):
        digest.update(path.read_bytes())
    for name, array in golden_inputs(model.manifest).items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


@cache
def _own_digest() -> str:
    return code_digest(Path(str(module.__file__)) for module in (deltas, half, probes, sys.modules[__name__]))
