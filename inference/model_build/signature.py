"""Compares the tensors of an ONNX file with those that its manifest promises."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from inference.model_build.conversion.graph import ELEMENT_TYPES
from inference.model_build.errors import SignatureBroken
from inference.model_build.manifest import FREE, Manifest, Tensor


def check_signature(manifest: Manifest, path: Path) -> None:
    """Proves that an ONNX file has exactly the inputs and outputs of the manifest's graph, a free batch in front.

    Raises:
        SignatureBroken: it is no ONNX file, or a tensor is missing, spare, or of another type or shape.
    """
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except (DecodeError, OSError) as error:
        raise SignatureBroken(f"{path} is not an ONNX file: {error}", field=manifest.name) from error
    constants = {constant.name for constant in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    _compare(manifest, "input", manifest.graph.inputs, inputs)
    _compare(manifest, "output", manifest.graph.outputs, graph.output)


def _compare(manifest: Manifest, kind: str, promised: Sequence[Tensor], found: Iterable[onnx.ValueInfoProto]) -> None:
    by_name = {value.name: value for value in found}
    if set(by_name) != {tensor.name for tensor in promised}:
        wanted = ", ".join(tensor.name for tensor in promised)
        raise SignatureBroken(
            f"{manifest.name}: the {kind}s are {', '.join(sorted(by_name))}; name them {wanted}", field=manifest.name
        )
    for tensor in promised:
        got, want = _describe(by_name[tensor.name]), (ELEMENT_TYPES[tensor.element], _sizes(tensor))
        if got != want:
            raise SignatureBroken(
                f"{manifest.name}: {kind} {tensor.name!r} must be {tensor.element} "
                f"[{', '.join(['N', *map(str, tensor.shape)])}], "
                f"but is {onnx.TensorProto.DataType.Name(got[0])} {list(got[1])}",
                field=manifest.name,
            )


def _sizes(tensor: Tensor) -> tuple[int | None, ...]:
    return (None, *(None if side == FREE else side for side in tensor.shape))


def _describe(value: onnx.ValueInfoProto) -> tuple[int, tuple[int | None, ...]]:
    tensor = value.type.tensor_type
    sizes = (d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim)
    return tensor.elem_type, tuple(sizes)
