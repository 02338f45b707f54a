"""Images of a cell: built from this checkout, and loaded into the cluster's nodes."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.cluster.harness.names import PLATFORM_IMAGE, ROOT, SERVICE_IMAGE, TRITON_IMAGE
from tests.cluster.harness.programs import run
from tests.cluster.harness.times import Times

LOAD: Final = "PELLICULE_IMAGE_LOAD"
"""The command that loads an archive, which is its last argument."""
BASE: Final = "PELLICULE_IMAGE_BASE"
"""The base to build on, where it is not the public one."""
ARCHIVES: Final = "PELLICULE_IMAGE_ARCHIVES"
"""A folder with archives that were built before: `service.tar`, `triton.tar`, `platform.tar`."""
_DEFAULT_LOAD: Final = "kind load image-archive"
_BUILD_SECONDS: Final = 1800
IMAGES: Final[Mapping[str, str]] = {
    "service": SERVICE_IMAGE,
    "triton": TRITON_IMAGE,
    "tests/cluster/platform/platform.Containerfile": PLATFORM_IMAGE,
}


def provide(folder: Path, times: Times) -> None:
    """Load every image: those of the folder that is named, or else those of this checkout, built into a scratch one."""
    ready = os.environ.get(ARCHIVES)
    for recipe, tag in IMAGES.items():
        archive = Path(ready or folder) / f"{Path(recipe).stem}.tar"
        if not ready:
            with times.step(f"build the image {tag}"):
                build(recipe, tag, archive)
        with times.step(f"load the image {tag}"):
            run([*shlex.split(os.environ.get(LOAD, _DEFAULT_LOAD)), str(archive)], seconds=600)
        if not ready:
            archive.unlink()


def build(recipe: str, tag: str, archive: Path) -> None:
    """Build one image into an archive."""
    base = os.environ.get(BASE)
    own = [f"--base={base}"] if base else []
    name = str(ROOT / recipe) if "/" in recipe else recipe
    command = [str(ROOT / "deploy/images/build"), name, f"--tag={tag}", f"--archive={archive}", *own]
    run(command, seconds=_BUILD_SECONDS)
