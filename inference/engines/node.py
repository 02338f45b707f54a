"""Node probe: which TensorRT, which GPU and which serving image a machine has."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.engines.errors import TensorRTMissing
from inference.engines.targets import Target, checked_target
from inference.engines.trtexec import Trtexec

IN_THE_IMAGE: Final = Path("/usr/src/tensorrt/bin/trtexec")  # where serving images have it, off the path
_SECONDS: Final = 60
_BANNER: Final = re.compile(r"\[TensorRT v(?P<version>[\d.]+)\](?:\s*\[b(?P<build>\d+)\])?")
_CAPABILITY: Final = re.compile(r"^(?P<major>\d+)\.(?P<minor>\d)$")


@dataclass(frozen=True)
class Node:
    """A machine that can build and run plans: its program, what a plan built here is for, its GPU and driver."""

    trtexec: Trtexec
    target: Target
    gpu: str
    driver: str


def this_node(*, triton_tag: str | None = None, device: int = 0, environment: Mapping[str, str] = os.environ) -> Node:
    """Ask this machine.

    Args:
        triton_tag: the tag of the serving image; by default what the image says of itself.
        device: the number of the GPU.
        environment: where the image says it.

    Raises:
        TensorRTMissing: there is no TensorRT or no GPU here, or nothing says which image this is.
        TargetUnknown: the TensorRT is too old.
    """
    trtexec = _trtexec(environment)
    version = parse_banner(_run(trtexec, "--help"))
    if version is None:
        raise TensorRTMissing(f"{trtexec} does not tell its version; is it TensorRT's?", field="trtexec")
    sm, gpu, driver = _gpu(device, environment)
    target = checked_target({"triton_tag": triton_tag or _tag(environment), "tensorrt": version, "sm": sm})
    return Node(Trtexec(trtexec, device), target, gpu, driver)


def parse_banner(text: str) -> str | None:
    """Read the TensorRT version off `trtexec`'s first line: `[TensorRT v100500] [b18]` is 10.5.0.18."""
    found = _BANNER.search(text)
    if found is None:
        return None
    version, build = found["version"], found["build"]
    if "." in version:
        return version
    number = int(version)
    # TensorRT 8 wrote v8601 for 8.6.1.
    major, minor = (number // 10000, number // 100 % 100) if number >= 100000 else (number // 1000, number // 100 % 10)
    return f"{major}.{minor}.{number % 100}" + (f".{build}" if build else "")


def _trtexec(environment: Mapping[str, str]) -> str:
    found = shutil.which("trtexec", path=environment.get("PATH")) or shutil.which(IN_THE_IMAGE)
    if found is None:
        raise TensorRTMissing(
            "no TensorRT here: trtexec is neither on the path nor in the serving image's place; build on the GPU "
            "node with the serving image, and use `pellicule engines plan` to see the commands anywhere",
            field="trtexec",
        )
    return found


def _gpu(device: int, environment: Mapping[str, str]) -> tuple[int, str, str]:
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        raise TensorRTMissing("no GPU here: nvidia-smi is not on the path; build on the GPU node", field="nvidia-smi")
    query = (f"--id={device}", "--query-gpu=compute_cap,name,driver_version", "--format=csv,noheader")
    fields = [field.strip() for field in _run(program, *query).strip().partition("\n")[0].split(",")]
    capability = _CAPABILITY.match(fields[0])
    if capability is None or len(fields) != 3:
        raise TensorRTMissing(f"nvidia-smi names no GPU {device}: {', '.join(fields)}", field="nvidia-smi")
    return int(capability["major"] + capability["minor"]), fields[1], fields[2]


def _tag(environment: Mapping[str, str]) -> str:
    """Return what the serving image says of itself; its variable lacks the flavour, which plain images do not need."""
    release = environment.get("NVIDIA_TRITON_SERVER_VERSION")
    if not release:
        raise TensorRTMissing(
            "nothing says which serving image this is; name its tag with --triton-tag, such as 24.10-py3",
            field="triton-tag",
        )
    return f"{release}-py3"


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TensorRTMissing(f"{command[0]} does not run: {error}", field=Path(command[0]).name) from error
    return done.stdout + done.stderr
