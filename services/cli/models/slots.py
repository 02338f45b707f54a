"""Commands about slots: which there are, and an operator's own model in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bars

from inference.model_build.build import default_home
from inference.model_build.errors import ModelError
from inference.slots import installing
from inference.slots.checking import Step
from inference.slots.contracts import CONTRACTS, SlotContract, TensorContract
from inference.slots.filling import Filling, fillings
from inference.slots.violations import SlotRefused
from services.cli.options import Json
from services.cli.output import CommandFailed, emit, failures, progress_bars, say

Folder = Annotated[
    Path | None, typer.Option("--models", help="Where built models lie; by default in the user's cache.")
]
Slot = Annotated[str, typer.Argument(help="A slot, as `pellicule models slots` lists them.")]
_TAKES_EFFECT = "it is served from the next `pellicule up`; findings by another model are then made again, newest first"


def mount(models: typer.Typer) -> None:
    """Mount the commands among those about models."""
    models.command("slots")(list_slots)
    models.command("use")(use)
    models.command("unuse")(unuse)


def list_slots(folder: Folder = None, as_json: Json = False) -> None:
    """List the slots: what each asks of a model, and what fills it."""
    with failures(as_json=as_json), model_failures():
        filled = fillings(folder or default_home())
        for contract in CONTRACTS:
            filling = filled.get(contract.slot)
            here = filling if filling is not None and filling.kind == contract.kind else None
            emit(_row(contract, here)) if as_json else _say_contract(contract, here)


def use(
    slot: Slot,
    files: Annotated[list[Path], typer.Argument(help="The ONNX file; for a latent restyler, its files.")],
    name: Annotated[str, typer.Option(help="What you call it; the file's name by default.")] = "",
    licence: Annotated[str, typer.Option(help="Its terms, as an SPDX expression.")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Check a model of your own against the contract of a slot, and have it served there."""
    home = folder or default_home()
    with failures(as_json=as_json), model_failures():
        try:
            with progress_bars() as bars:
                report = reporter(bars, f"checking {slot}")
                filling = installing.use(home, slot, files, name=name, licence=licence, report=report)
        except SlotRefused as refused:
            if as_json:
                _emit_violations(refused)
            raise
    print_filling(filling, as_json=as_json)
    if not as_json:
        say(_TAKES_EFFECT)


def unuse(slot: Slot, folder: Folder = None, as_json: Json = False) -> None:
    """Have the model that comes with the product served in a slot again."""
    with failures(as_json=as_json), model_failures():
        filling = installing.unuse(folder or default_home(), slot)
    if as_json:
        emit({"slot": slot, "removed": filling.identity})
    else:
        say(f"{slot}: removed {filling.identity}; {_TAKES_EFFECT}")


def print_filling(filling: Filling, *, as_json: bool) -> None:
    """Print what fills a slot, as one line."""
    if as_json:
        emit(
            {"slot": filling.slot, "kind": filling.kind, "identity": filling.identity, "name": filling.name,
             "licence": filling.licence, "sha256": filling.sha256, "size_bytes": filling.size_bytes,
             "path": str(filling.folder)}
        )  # fmt: skip
    else:
        size = filling.size_bytes / 1e6
        say(f"  in slot {filling.slot}: {filling.identity} ({filling.name}, {filling.licence}) {size:.1f} MB")


def reporter(bars: Bars, label: str) -> Callable[[Step], None]:
    """Return what shows the steps of a check on a bar."""
    bar = bars.add_task(label, total=None)

    def report(step: Step) -> None:
        bars.update(bar, total=step.total, completed=step.done, description=step.name)

    return report


@contextmanager
def model_failures() -> Iterator[None]:
    """Turn what is wrong with a model into a command's failure."""
    try:
        yield
    except ModelError as error:
        raise CommandFailed(error.reason, str(error), error.field) from error


def _emit_violations(refused: SlotRefused) -> None:
    for each in refused.violations:
        emit(
            {"violation": {"field": each.field, "found": each.found, "expected": each.expected, "remedy": each.remedy}}
        )


def _row(contract: SlotContract, filling: Filling | None) -> dict[str, object]:
    return {
        "slot": contract.slot.value,
        "kind": contract.kind,
        "task": contract.task,
        "served_as": contract.serves,
        "graphs": [
            {"name": graph.name, "inputs": _tensors(graph.inputs), "outputs": _tensors(graph.outputs)}
            for graph in contract.graphs
        ],
        "filled_by": None if filling is None else filling.identity,
    }


def _tensors(tensors: tuple[TensorContract, ...]) -> list[dict[str, object]]:
    return [
        {"name": each.name, "elements": each.elements, "shape": ["N", *map(str, each.shape)], "meaning": each.meaning}
        for each in tensors
    ]


def _say_contract(contract: SlotContract, filling: Filling | None) -> None:
    kind = f" ({contract.kind})" if contract.kind else ""
    say(f"{contract.slot}{kind}: {contract.task}")
    for graph in contract.graphs:
        for sign, tensors in (("in", graph.inputs), ("out", graph.outputs)):
            for tensor in tensors:
                say(f"    {graph.name}.onnx {sign:<3} {tensor.name} {tensor}: {tensor.meaning}")
    if filling is None:
        say("    filled by what comes with the product")
    else:
        print_filling(filling, as_json=False)
