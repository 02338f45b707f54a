"""Build of an image: `deploy/images/build`.

Needs Python 3.11 alone, and an engine: the environment of the checkout is not made for it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.images import engines, packages
from deploy.images.archive import ArchiveUnreadable, ImageArchive, read_archive
from deploy.images.bill import bill
from deploy.images.containerfile import default_base
from deploy.images.engines import EngineFailed, EngineName, Recipe
from deploy.images.lock import ROOT, read_project
from deploy.images.provenance import Build, Source, statement

_RECIPES: Final = Path(__file__).parent
_LOCK: Final = ROOT / "deploy" / "requirements.lock"
_NAMES: Final[Mapping[str, str]] = {"service": "pellicule"}
_PIP: Final = ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf")
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Order:
    """What the caller chose."""

    engine: EngineName
    recipe: Recipe
    base: str
    builder: str
    archive: Path | None


def main(arguments: Sequence[str]) -> int:
    """Build what is asked for; return the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        _build(_order(parsed))
    except (EngineFailed, ArchiveUnreadable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy/images/build",
        description="Builds an image, and beside its archive a bill of materials and a provenance.",
    )
    known = ", ".join(sorted(path.name.removesuffix(".Containerfile") for path in _RECIPES.glob("*.Containerfile")))
    parser.add_argument("image", help=f"{known}, or the path of a Containerfile")
    parser.add_argument("--base", help="the base image (default: the public one that the Containerfile names)")
    parser.add_argument("--tag", help="name of the image (default: pellicule[-...]:VERSION)")
    parser.add_argument(
        "--archive", type=Path, metavar="FILE.tar", help="write the image there, and what is said of it"
    )
    parser.add_argument("--engine", choices=engines.ENGINES, help="default: the first that is here")
    parser.add_argument("--builder", metavar="URI", help="who builds, as the provenance tells it")
    return parser


def _order(parsed: argparse.Namespace) -> Order:
    file = _recipe(parsed.image)
    engine = engines.find_engine(parsed.engine)
    base = parsed.base or default_base(file.read_text(encoding="utf-8"))
    if not base:
        raise EngineFailed(f"{file.name} names no base of its own: name one with --base")
    name = file.name.removesuffix(".Containerfile")
    recipe = Recipe(
        file=file,
        context=ROOT,
        tag=parsed.tag or f"{_NAMES.get(name, f'pellicule-{name}')}:{_version()}",
        arguments={"BASE": base},
        epoch=_epoch(),
        secrets=_secrets(),
    )
    builder = parsed.builder or f"urn:pellicule:builder:{engine}:{engines.version(engine)}"
    return Order(engine, recipe, base, builder, parsed.archive and parsed.archive.absolute())


def _recipe(image: str) -> Path:
    own = _RECIPES / f"{image}.Containerfile"
    file = own if own.is_file() else Path(image).absolute()
    if not file.is_file():
        raise EngineFailed(f"there is no image {image}: name one of --help, or a Containerfile")
    return file


def _build(order: Order) -> None:
    started = datetime.now(UTC)
    engines.run(engines.build_command(order.engine, order.recipe))
    if order.archive is None:
        return
    order.archive.parent.mkdir(parents=True, exist_ok=True)
    order.archive.unlink(missing_ok=True)
    engines.run(engines.save_command(order.engine, order.recipe.tag, order.archive))
    image = read_archive(order.archive, packages.is_wanted)
    build = Build(
        builder=order.builder,
        source=_source(),
        recipe=order.recipe.file,
        base=order.base,
        base_id=engines.image_id(order.engine, order.base),
        lock=_LOCK,
        parameters={"image": order.recipe.tag, **order.recipe.arguments},
        started=started,
        finished=datetime.now(UTC),
    )
    _describe(image, build, order)


def _describe(image: ImageArchive, build: Build, order: Order) -> None:
    materials = image.path.with_suffix(".cdx.json")
    _write(materials, bill(image, version=_version(), epoch=order.recipe.epoch))
    _write(image.path.with_suffix(".provenance.json"), statement(image, build, [materials]))
    for layer in image.layers:
        sys.stdout.write(f"{layer.size / 1e6:8.1f} MB  {layer.made_by[:100]}\n")
    sys.stdout.write(f"{image.size / 1e6:8.1f} MB  {image.name} sha256:{image.image_id}\n")


def _write(path: Path, document: Mapping[str, object]) -> None:
    path.write_text(f"{json.dumps(document, indent=1)}\n", encoding="utf-8")


def _version() -> str:
    project = read_project(ROOT)["project"]
    return str(project["version"]) if isinstance(project, dict) else ""


def _secrets() -> Mapping[str, Path]:
    """Return how this machine reaches its package index: steps read it, and no layer has it."""
    settings = (os.environ.get("PIP_CONFIG_FILE", ""), *_PIP)
    found = {"pip.conf": _first(settings), "authorities": _first((os.environ.get("PIP_CERT", ""), _AUTHORITIES))}
    return {name: path for name, path in found.items() if path is not None}


def _first(names: Sequence[str]) -> Path | None:
    return next((path for name in names if name and (path := Path(name).expanduser()).is_file()), None)


def _epoch() -> int:
    """Return the time of the last commit, so that the same checkout gives the same image."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0)


def _source() -> Source:
    return Source(_git("rev-parse", "HEAD"), modified=bool(_git("status", "--porcelain")))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
