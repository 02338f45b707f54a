"""Filling of a slot, as it lies on this machine.

A filling lies in `<home>/slots/<slot>/<key>/`: the graphs, `golden.npz` with the answers that it gave when it was
installed, and `filling.json`, which is written last. `<home>/slots/<slot>/in_use` holds the key of the one that is
served; it is replaced in one step.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from inference.slots.contracts import CONTRACTS, SlotContract, SlotName, contract_of
from inference.slots.violations import FillingBroken

RECORD_FILE: Final = "filling.json"
IN_USE: Final = "in_use"
_KEY_LENGTH: Final = 16
_IDENTITY_LENGTH: Final = 12


@dataclass(frozen=True)
class Filling:
    """An operator's model in a slot.

    Attributes:
        slot: which one.
        kind: of its contract.
        name: what the operator calls it.
        licence: its terms, as an SPDX expression, as the operator says.
        sha256: of its one file, or of the list of its files.
        files: name of a file -> its SHA-256.
        shapes: name of an output -> its lengths, without the batch.
        styles: names of the styles of a restyler.
        folder: where it lies.
    """

    slot: str
    kind: str
    name: str
    licence: str
    sha256: str
    files: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    styles: tuple[str, ...]
    folder: Path

    @property
    def contract(self) -> SlotContract:
        """The contract that it fulfils."""
        return contract_of(self.slot, self.kind)

    @property
    def identity(self) -> str:
        """What findings name it by: another file has another name."""
        return f"{self.contract.serves}-custom-{self.sha256[:_IDENTITY_LENGTH]}"

    @property
    def key(self) -> str:
        """The name of its folder."""
        return key_of(self.sha256)

    @property
    def size_bytes(self) -> int:
        """Of all its files together."""
        return sum((self.folder / name).stat().st_size for name in self.files)


def slot_folder(home: Path, slot: str) -> Path:
    """Where the fillings of a slot lie under the folder of models."""
    return home / "slots" / slot


def key_of(sha256: str) -> str:
    """Return the name of the folder of a filling."""
    return sha256[:_KEY_LENGTH]


def digest_of(files: Mapping[str, str]) -> str:
    """Return the digest of a filling: that of its one file, or of the list of its files.

    Args:
        files: name -> SHA-256.
    """
    if len(files) == 1:
        return next(iter(files.values()))
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


def write_record(filling: Filling) -> None:
    """Write the record of a filling into its folder, which makes it whole."""
    record = {name: value for name, value in asdict(filling).items() if name != "folder"}
    (filling.folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def read_record(folder: Path) -> Filling | None:
    """Read the filling that lies in a folder; None if there is none, or half of one."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text("utf-8"))
        shapes = {name: tuple(shape) for name, shape in record.pop("shapes").items()}
        return Filling(**{**record, "styles": tuple(record["styles"])}, shapes=shapes, folder=folder)
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None


def filling_of(home: Path, slot: str) -> Filling | None:
    """Return what of the operator's fills a slot; None if the shipped model does.

    Raises:
        FillingBroken: it was taken in use, and its files are gone or were changed by hand.
    """
    folder = slot_folder(home, slot)
    try:
        key = (folder / IN_USE).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    filling = read_record(folder / key)
    if filling is None or not all((filling.folder / name).is_file() for name in filling.files):
        message = f"{folder / key} is damaged; use a model again, or run: pellicule models unuse {slot}"
        raise FillingBroken(message, field=slot)
    return filling


def fillings(home: Path) -> dict[str, Filling]:
    """Return what of the operator's is served: slot -> filling.

    Raises:
        FillingBroken: one of them is damaged.
    """
    found = {slot: filling_of(home, slot) for slot in SlotName}
    return {slot: filling for slot, filling in found.items() if filling is not None}


def served_name(slot: str) -> str:
    """Return the name under which the model in a slot is served."""
    return next(contract.serves for contract in CONTRACTS if contract.slot == slot)
