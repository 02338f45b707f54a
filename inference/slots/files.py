"""Reader of an operator's ONNX file: whether it is one that can be served at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import onnx
from google.protobuf.message import DecodeError

from inference.slots.violations import Violation

_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
_ELEMENTS: Final = {"FLOAT": "FP32", "FLOAT16": "FP16", "DOUBLE": "FP64"}
_WHOLE: Final = "an ONNX file"


@dataclass(frozen=True)
class FoundTensor:
    """An input or an output as the file declares it.

    Attributes:
        name: its name.
        element: its element type, such as "UINT8".
        shape: its lengths, the batch included; a name where a length is open, and None if no shape is declared.
    """

    name: str
    element: str
    shape: tuple[int | str, ...] | None

    def __str__(self) -> str:
        return f"{self.element} [{', '.join(map(str, self.shape))}]" if self.shape is not None else self.element


@dataclass(frozen=True)
class FoundGraph:
    """What a file declares."""

    inputs: tuple[FoundTensor, ...]
    outputs: tuple[FoundTensor, ...]
    styles: tuple[str, ...]


def read_graph(path: Path, *, largest_bytes: int) -> FoundGraph | list[Violation]:
    """Read what an ONNX file declares, or say why it cannot be served.

    Args:
        path: the file.
        largest_bytes: larger ones are not even opened.
    """
    fault = unusable(path, largest_bytes)
    if fault is not None:
        return [fault]
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError) as error:
        return [_no_onnx(path, str(error))]
    if not model.graph.node or not model.opset_import:
        return [_no_onnx(path, "no operators")]
    faults = [*_external(path, model), *_custom(path, model)]
    return faults or _found(model)


def unusable(path: Path, largest_bytes: int) -> Violation | None:
    """Return why a file is not even opened, if there is a reason."""
    name = path.name
    if not path.exists():
        return Violation(str(path), "nothing", _WHOLE, "check the path")
    if not path.is_file():
        return Violation(str(path), "no regular file", _WHOLE, "name the file itself")
    size = path.stat().st_size
    if size > largest_bytes:
        found, most = f"{size / 2**20:.0f} MiB", f"at most {largest_bytes / 2**20:.0f} MiB"
        return Violation(name, found, most, "export it in half precision, or choose a smaller model")
    return None


def _no_onnx(path: Path, why: str) -> Violation:
    remedy = "export the model to ONNX first; weights alone (.pth, .safetensors, .h5) cannot be served"
    return Violation(path.name, f"a file that is no ONNX ({why.strip()[:120]})", _WHOLE, remedy)


def _external(path: Path, model: onnx.ModelProto) -> list[Violation]:
    places = {
        entry.value
        for tensor in _tensors(model.graph)
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }
    if not places:
        return []
    found = f"weights outside of it, in {', '.join(sorted(places))}"
    remedy = "save it in one piece: onnx.save(onnx.load(path), new_path, save_as_external_data=False)"
    return [Violation(path.name, found, "everything in one file", remedy)]


def _custom(path: Path, model: onnx.ModelProto) -> list[Violation]:
    known = _DOMAINS | {function.domain for function in model.functions}
    nodes = [*_nodes(model.graph.node), *(node for each in model.functions for node in _nodes(each.node))]
    custom = {f"{node.domain}::{node.op_type}" for node in nodes if node.domain not in known}
    if not custom:
        return []
    found = f"operators that are not ONNX's own: {', '.join(sorted(custom))}"
    remedy = "export with standard operators; the server loads no custom libraries"
    return [Violation(path.name, found, "operators of ONNX alone", remedy)]


def _nodes(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield nodes, those of the branches and loops in them included."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph.node)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in _nodes(graph.node):
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from inner.initializer


def _found(model: onnx.ModelProto) -> FoundGraph:
    constants = {constant.name for constant in model.graph.initializer}
    named = {entry.key: entry.value for entry in model.metadata_props}
    return FoundGraph(
        tuple(_tensor(value) for value in model.graph.input if value.name not in constants),
        tuple(_tensor(value) for value in model.graph.output),
        tuple(name.strip() for name in named.get("styles", "").split(",") if name.strip()),
    )


def _tensor(value: onnx.ValueInfoProto) -> FoundTensor:
    tensor = value.type.tensor_type
    element = onnx.TensorProto.DataType.Name(tensor.elem_type)
    shape = tuple(_length(each) for each in tensor.shape.dim) if tensor.HasField("shape") else None
    return FoundTensor(value.name, _ELEMENTS.get(element, element), shape)


def _length(dimension: onnx.TensorShapeProto.Dimension) -> int | str:
    return int(dimension.dim_value) if dimension.HasField("dim_value") else dimension.dim_param or "?"
