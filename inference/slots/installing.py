"""Installation of an operator's model into a slot, and out again. If anything goes wrong, what was served stays."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from inference.folders import alone, file_digest, move_into_place, scratch_folder
from inference.slots.checking import Report, check
from inference.slots.contracts import SlotContract, contracts_of
from inference.slots.files import unusable
from inference.slots.filling import (
    IN_USE,
    Filling,
    digest_of,
    filling_of,
    fillings,
    key_of,
    read_record,
    slot_folder,
    write_record,
)
from inference.slots.golden_outputs import record_golden_outputs
from inference.slots.violations import FillingBroken, SlotEmpty, SlotRefused, Violation


def use(
    home: Path,
    slot: str,
    files: Sequence[Path],
    *,
    name: str = "",
    licence: str = "",
    report: Report = lambda _: None,
) -> Filling:
    """Check a model against the contract of a slot, and installs it there.

    The files are copied first, so that what was checked is what is served.

    Args:
        home: the folder of built models.
        slot: which slot.
        files: its ONNX file, or the files of a latent restyler.
        name: what the operator calls it; the name of its first file by default.
        licence: its terms, as an SPDX expression.
        report: told of each step.

    Returns:
        What fills the slot now; served from the next start of the inference server.

    Raises:
        SlotUnknown: there is no such slot.
        SlotRefused: the model breaks the contract; nothing was installed.
    """
    contract, named = _assign(slot, files)
    folder = slot_folder(home, slot)
    with alone(folder), scratch_folder(folder) as scratch:
        digests = {target: _copy(source, scratch / target) for target, source in named.items()}
        checked = check(contract, scratch, report)
        if checked.candidate is None or checked.violations:
            raise SlotRefused(slot, [_by_own_name(each, named) for each in checked.violations])
        filling = Filling(
            slot, contract.kind, name or files[0].stem, licence or "not stated", digest_of(digests), digests,
            record_golden_outputs(checked.candidate), checked.candidate.styles, scratch,
        )  # fmt: skip
        _install(folder, filling)
    return _in_use(home, slot)


def unuse(home: Path, slot: str) -> Filling:
    """Take the operator's model out of a slot: the shipped one is served from the next start on.

    Returns:
        What filled it.

    Raises:
        SlotUnknown: there is no such slot.
        SlotEmpty: nothing of the operator's fills it.
    """
    contracts_of(slot)
    folder = slot_folder(home, slot)
    key = (folder / IN_USE).read_text("utf-8").strip() if (folder / IN_USE).exists() else None
    if key is None:
        raise SlotEmpty(f"the slot {slot} is filled by the model that comes with the product", field=slot)
    with alone(folder):
        filling = read_record(folder / key)
        (folder / IN_USE).unlink()
        _remove_others(folder, keep=None)
    if filling is None:
        raise FillingBroken(f"what filled {slot} was damaged; it is removed", field=slot)
    return filling


def verify(home: Path, report: Report = lambda _: None) -> tuple[Filling, ...]:
    """Proves again what operators have installed: digests, and the contracts of the slots.

    Raises:
        FillingBroken: a file was changed.
        SlotRefused: it breaks the contract of its slot, as this version has it.
    """
    found = fillings(home)
    for slot, filling in found.items():
        changed = [name for name, digest in filling.files.items() if file_digest(filling.folder / name) != digest]
        if changed:
            message = f"{filling.folder / changed[0]} was changed after it was checked; use the model again"
            raise FillingBroken(message, field=slot)
        checked = check(filling.contract, filling.folder, report)
        if checked.violations:
            raise SlotRefused(slot, checked.violations)
    return tuple(found.values())


def _assign(slot: str, files: Sequence[Path]) -> tuple[SlotContract, Mapping[str, Path]]:
    """Tells which contract is meant, and which file is which.

    Raises:
        SlotRefused: files are missing, too large, or too many.
    """
    contract = _contract(slot, files)
    wanted = [*(f"{graph.name}.onnx" for graph in contract.graphs), *contract.companions]
    named = {wanted[0]: files[0]} if len(wanted) == len(files) == 1 else {path.name: path for path in files}
    faults = [fault for path in files if (fault := unusable(path, contract.largest_bytes))]
    if set(named) != set(wanted) or len(files) != len(wanted):
        found = ", ".join(path.name for path in files) or "no file"
        remedy = "name each of these files once"
        faults.append(Violation("files", found, ", ".join(wanted) if len(wanted) > 1 else "one ONNX file", remedy))
    if faults:
        raise SlotRefused(slot, faults)
    return contract, named


def _by_own_name(violation: Violation, named: Mapping[str, Path]) -> Violation:
    """Says of a file what the operator calls it."""
    source = named.get(violation.field)
    return violation if source is None else replace(violation, field=source.name)


def _contract(slot: str, files: Sequence[Path]) -> SlotContract:
    """Of two contracts, the one with more files is meant when more than one is given."""
    first, *others = contracts_of(slot)
    return others[0] if others and len(files) > 1 else first


def _install(folder: Path, filling: Filling) -> None:
    """Give the finished folder its name, then has it served."""
    target = folder / key_of(filling.sha256)
    write_record(filling)
    move_into_place(filling.folder, target)
    pointer = folder / f"{IN_USE}.new"
    pointer.write_text(target.name + "\n", "utf-8")
    pointer.replace(folder / IN_USE)
    _remove_others(folder, keep=target.name)


def _in_use(home: Path, slot: str) -> Filling:
    filling = filling_of(home, slot)
    if filling is None:
        raise SlotEmpty(f"the slot {slot} was emptied meanwhile; use the model again", field=slot)
    return filling


def _remove_others(folder: Path, *, keep: str | None) -> None:
    for other in folder.iterdir():
        if other.is_dir() and other.name != keep and not other.name.startswith("."):
            shutil.rmtree(other)


def _copy(source: Path, target: Path) -> str:
    shutil.copyfile(source, target)
    return file_digest(target)
