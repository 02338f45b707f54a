"""Command line `python -m deploy.training_photos DIR`: the photos that the restyler learns from.

They come out of installed Python packages and out of Debian packages, as those of the sample roll do.
"""

import argparse
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Final

from rich.console import Console

from deploy.samples.credits import Credit
from deploy.samples.sources import default_cache, open_library

CATALOGUE: Final = Path(__file__).parents[1] / "inference" / "training" / "restyler" / "photos.toml"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.training_photos", description="Fetches training photos.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the photos go")
    folder: Path = parser.parse_args().folder
    console = Console(stderr=True)
    wanted = {name: Credit(**row) for name, row in tomllib.loads(CATALOGUE.read_text("utf-8")).items()}
    library = open_library(default_cache(), wanted=wanted, told=console.print)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in library.pictures.items():
        (folder / f"{name}{PurePosixPath(wanted[name].path).suffix}").write_bytes(content)
    if library.missing_packages:
        console.print(f"{', '.join(library.missing_packages)} cannot be had: use Debian 12 with apt and a network")
        return 1
    console.print(f"{len(library.pictures)} photos in {folder}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
