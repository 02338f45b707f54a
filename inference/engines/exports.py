"""What lies between a model and its plan: the typed graph, and the probes with their right outputs.

An export is made once on any machine (`exporting`), and is all that a GPU node needs: no ONNX, no ONNX Runtime.
It lies in `<home>/exports/<model>/<key>/`: `model.onnx`, `probes.npz`, and `export.json`, which is written last.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from inference.engines.deltas import Delta
from inference.engines.documents import Document
from inference.engines.manifest import KeyParts, Precision
from inference.engines.probes import Probe
from inference.engines.profiles import Profile
from inference.engines.targets import Target
from inference.folders import user_cache
from inference.model_build.manifest import Digest, Name

ONNX_FILE: Final = "model.onnx"
PROBES_FILE: Final = "probes.npz"
RECORD_FILE: Final = "export.json"


class Record(Document):
    """What `export.json` says.

    Attributes:
        model: the served model.
        identity: what findings name it by.
        precision: what was chosen.
        onnx_sha256: of the typed graph.
        source_sha256: of the built model that it was made from.
        inputs: input -> sizes without the batch.
        profile: the profile it was made under.
        deltas: of half precision against single, as measured here; also when half was not taken.
    """

    model: Name
    identity: str
    precision: Precision
    onnx_sha256: Digest
    source_sha256: Digest
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
