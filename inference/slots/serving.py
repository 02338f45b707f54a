"""Served files: that of an operator where one fills the slot, else the shipped one."""

from pathlib import Path

from inference.model_build.build import BuiltModel, built_model
from inference.slots.contracts import LATENT
from inference.slots.filling import Filling, fillings, served_name
from inference.slots.violations import SlotRefused, Violation


def served_model(home: Path, name: str) -> BuiltModel:
    """Return the one ONNX file that is served under a name.

    Args:
        home: the folder of built models.
        name: of the served model.

    Raises:
        ModelNotBuilt: it is missing; run the build.
        FillingBroken: what an operator has put into its slot is damaged.
        SlotRefused: a restyler of four graphs fills its slot, which is more than one file.
    """
    filling = next((each for slot, each in fillings(home).items() if served_name(slot) == name), None)
    return built_model(home, name) if filling is None else _as_built(filling)


def served_identities(home: Path, shipped: dict[str, str]) -> dict[str, str]:
    """Return the identities of what is served: those given, but for the slots that operators fill.

    Args:
        home: the folder of built models.
        shipped: name of a model -> identity of the shipped one.

    Raises:
        FillingBroken: what an operator has put into a slot is damaged.
    """
    own = {served_name(slot): filling.identity for slot, filling in fillings(home).items()}
    return {**shipped, **own}


def _as_built(filling: Filling) -> BuiltModel:
    if filling.kind == LATENT:
        found, remedy = "four graphs", "build their engines with the exporter's own tools; they are served as they are"
        raise SlotRefused(filling.slot, [Violation("the slot", found, "one graph", remedy)])
    return BuiltModel(
        filling.contract.serves, filling.identity, filling.key, filling.sha256, filling.size_bytes, filling.folder
    )
