"""Image engines: buildah, podman and docker, each told the same in its own words."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

EngineName: TypeAlias = Literal["buildah", "podman", "docker"]
ENGINES: Final[tuple[EngineName, ...]] = ("buildah", "podman", "docker")

_INSPECT: Final[Mapping[EngineName, tuple[str, ...]]] = {
    "buildah": ("inspect", "--type", "image", "--format", "{{.FromImageID}}"),
    "podman": ("image", "inspect", "--format", "{{.Id}}"),
    "docker": ("image", "inspect", "--format", "{{.Id}}"),
}


class EngineFailed(Exception):
    """An engine is missing, or ended with an error that it has told."""


@dataclass(frozen=True)
class Recipe:
    """What an engine is told to build.

    Attributes:
        file: The Containerfile; its `.dockerignore` lies beside it.
        context: The folder that it copies from.
        tag: Name of the image.
        arguments: Build arguments.
        epoch: The time that files and image bear, in seconds since 1970.
        secrets: Files that steps may read and that no layer gets, by their name.
    """

    file: Path
    context: Path
    tag: str
    arguments: Mapping[str, str]
    epoch: int
    secrets: Mapping[str, Path] = field(default_factory=dict)


def find_engine(wanted: EngineName | None = None) -> EngineName:
    """Return the engine that is asked for, or the first that is here.

    Raises:
        EngineFailed: there is none.
    """
    engines = (wanted,) if wanted else ENGINES
    for engine in engines:
        if shutil.which(engine):
            return engine
    raise EngineFailed(f"{' or '.join(engines)} is not here: install it (Debian: apt-get install buildah)")


def build_command(engine: EngineName, recipe: Recipe) -> Sequence[str]:
    """Return the command that builds."""
    arguments = [f"--build-arg={name}={value}" for name, value in sorted(recipe.arguments.items())]
    secrets = [f"--secret=id={name},src={path}" for name, path in sorted(recipe.secrets.items())]
    common = (*arguments, *secrets, f"--file={recipe.file}", f"--tag={recipe.tag}", str(recipe.context))
    if engine == "docker":
        return ("docker", "build", f"--build-arg=SOURCE_DATE_EPOCH={recipe.epoch}", *common)
    ignored = f"--ignorefile={recipe.file}.dockerignore"
    own = ("--isolation=chroot",) if engine == "buildah" else ()
    return (engine, "build", "--layers", *own, f"--timestamp={recipe.epoch}", ignored, *common)


def save_command(engine: EngineName, tag: str, archive: Path) -> Sequence[str]:
    """Return the command that writes an image into an archive, which must not be there."""
    if engine == "buildah":
        return ("buildah", "push", "--quiet", tag, f"docker-archive:{archive}:{tag}")
    if engine == "podman":
        return ("podman", "save", "--quiet", "--format=docker-archive", f"--output={archive}", tag)
    return ("docker", "save", f"--output={archive}", tag)


def run(command: Sequence[str]) -> None:
    """Run a command; what it says goes where this process's words go.

    Raises:
        EngineFailed: it did not succeed.
    """
    done = subprocess.run(command, env=_environment(), check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise EngineFailed(f"{command[0]} {command[1]} ended with status {done.returncode}: see above")


def image_id(engine: EngineName, name: str) -> str:
    """Return the SHA-256 of a local image's configuration, in hex; nothing when the engine does not tell."""
    return _said((engine, *_INSPECT[engine], name)).removeprefix("sha256:")


def version(engine: EngineName) -> str:
    """Return the engine's version, as it tells it."""
    said = _said((engine, "--version"))
    return next((word.rstrip(",") for word in said.split() if word[:1].isdigit()), "")


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _environment() -> Mapping[str, str]:
    # Under docker the secrets of a build are BuildKit's; the others do not read it.
    return {**os.environ, "DOCKER_BUILDKIT": "1"}
