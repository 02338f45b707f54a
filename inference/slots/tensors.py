"""Compares the tensors that a file declares with those that its slot asks for."""

from collections.abc import Iterator, Sequence

from inference.slots.contracts import AnyLength, EachLength, GraphContract, Length, TensorContract
from inference.slots.files import FoundGraph, FoundTensor
from inference.slots.violations import Violation


def compare(contract: GraphContract, found: FoundGraph) -> list[Violation]:
    """Return every point at which the declared tensors are not those of the contract."""
    return [
        *_compare("input", contract.inputs, found.inputs, batched=contract.batched),
        *_compare("output", contract.outputs, found.outputs, batched=contract.batched),
    ]


def _compare(
    kind: str, wanted: Sequence[TensorContract], found: Sequence[FoundTensor], *, batched: bool
) -> Iterator[Violation]:
    by_name = {tensor.name: tensor for tensor in found}
    names = {tensor.name for tensor in wanted}
    spare = [tensor for tensor in found if tensor.name not in names]
    for tensor in wanted:
        if tensor.name in by_name:
            yield from _differences(kind, tensor, by_name[tensor.name], batched=batched)
        else:
            yield _missing(kind, tensor, _counterpart(tensor, spare), batched=batched)
    yield from (_spare(kind, tensor) for tensor in spare)


def _counterpart(wanted: TensorContract, spare: list[FoundTensor]) -> FoundTensor | None:
    """Take the tensor that is most likely the one that is missing: of the same rank, else the first."""
    rank = len(wanted.shape) + 1
    alike = [tensor for tensor in spare if tensor.shape is not None and len(tensor.shape) == rank]
    chosen = next(iter([*alike, *spare]), None)
    if chosen is not None:
        spare.remove(chosen)
    return chosen


def _missing(kind: str, wanted: TensorContract, instead: FoundTensor | None, *, batched: bool) -> Violation:
    expected = f"{kind} {wanted.name!r} {wanted} ({wanted.meaning})"
    if instead is None:
        return Violation(f"{kind} {wanted.name!r}", "none", expected, f"add it as an {kind}")
    changes = [f"rename it to {wanted.name!r}", *_changes(wanted, instead, batched=batched)]
    return Violation(f"{kind} {instead.name!r}", str(instead), expected, _sentence(changes))


def _spare(kind: str, tensor: FoundTensor) -> Violation:
    remedy = "fix it to a constant in the graph" if kind == "input" else "remove it from the graph's outputs"
    return Violation(f"{kind} {tensor.name!r}", str(tensor), f"no such {kind}", remedy)


def _differences(kind: str, wanted: TensorContract, found: FoundTensor, *, batched: bool) -> Iterator[Violation]:
    changes = _changes(wanted, found, batched=batched)
    if changes:
        expected = f"{wanted} ({wanted.meaning})"
        yield Violation(f"{kind} {found.name!r}", str(found), expected, _sentence(changes))


def _changes(wanted: TensorContract, found: FoundTensor, *, batched: bool) -> list[str]:
    """Return what has to be done to a tensor, the general remedy last."""
    changes = []
    if found.element not in wanted.elements:
        changes.append(f"make it {wanted.elements[0]}")
    changes += _shape_changes(wanted, found.shape, batched=batched)
    if changes and wanted.remedy:
        changes.append(wanted.remedy)
    return changes


def _shape_changes(wanted: TensorContract, shape: tuple[int | str, ...] | None, *, batched: bool) -> list[str]:
    if shape is None:
        return []  # the trial will show it
    if len(shape) != len(wanted.shape) + 1:
        return [f"make its shape [{', '.join(['N', *map(str, wanted.shape)])}]"]
    open_enough = isinstance(shape[0], str) or (shape[0] == 1 and not batched)
    changes = [] if open_enough else ["leave its first axis open, so that requests can be batched"]
    if not all(_fits(want, got) for want, got in zip(wanted.shape, shape[1:], strict=True)):
        changes.append(f"make its shape [{', '.join(['N', *map(str, wanted.shape)])}]")
    return changes


def _fits(wanted: Length, found: int | str) -> bool:
    if isinstance(wanted, EachLength):
        return isinstance(found, str)
    if isinstance(found, str):
        return True  # declared open; the trial shows what it is
    return wanted.least <= found <= wanted.most if isinstance(wanted, AnyLength) else wanted == found


def _sentence(changes: Sequence[str]) -> str:
    *first, last = changes
    return f"{', '.join(first)} and {last}" if first else last
