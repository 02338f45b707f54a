"""A machine with TensorRT, as far as its processes show: `trtexec` and `nvidia-smi` in a folder for the path."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy

_PROGRAM = Path(__file__).with_name("tensorrt_program.py")
_SCRIPT = "#!{python} -IS\nimport sys\nsys.path += {folders!r}\nimport {module}\n{module}.main()\n"


@dataclass(frozen=True)
class Machine:
    """What the programs pretend, and what is wrong with them.

    Attributes:
        version: as the banner writes it: 100500 for 10.5.0.
        build: the fourth part of the version.
        capability: of the GPU.
        gpu: its name.
        flaw: "hang", "crash", "empty", "noise" or "nan"; nothing is wrong by default.
    """

    version: str = "100500"
    build: int = 18
    capability: str = "9.0"
    gpu: str = "NVIDIA H200"
    flaw: str = ""


def install(folder: Path, machine: Machine) -> Path:
    """Make the programs in a folder, in place of those that are there; return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "machine.json").write_text(json.dumps(asdict(machine)), "utf-8")
    folders = [str(_PROGRAM.parent), str(Path(numpy.__file__).parents[1])]
    for name in ("trtexec", "nvidia-smi"):
        program = folder / name
        program.write_text(_SCRIPT.format(python=sys.executable, folders=folders, module=_PROGRAM.stem), "utf-8")
        program.chmod(0o755)
    return folder
