"""Provenance of an image (in-toto statement, SLSA provenance 1): who built it out of what."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.images.archive import ImageArchive

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "tag:pellicule,2026:container-image/v1"


@dataclass(frozen=True)
class Source:
    """The checkout that was built.

    Attributes:
        commit: Its commit.
        modified: Whether files were changed since; such an image is for trying out.
    """

    commit: str
    modified: bool


@dataclass(frozen=True)
class Build:
    """One run of the build.

    Attributes:
        builder: Who built, as a URI.
        source: The checkout.
        recipe: The Containerfile.
        base: Name of the base image.
        base_id: SHA-256 of its configuration, in hex; empty when the engine does not tell.
        lock: The lock file that the packages come from.
        parameters: What the caller chose.
        started: When it began.
        finished: When it was done.
    """

    builder: str
    source: Source
    recipe: Path
    base: str
    base_id: str
    lock: Path
    parameters: Mapping[str, str]
    started: datetime
    finished: datetime


def statement(image: ImageArchive, build: Build, documents: Sequence[Path] = ()) -> Mapping[str, object]:
    """Return the document.

    Args:
        image: What was built.
        build: How.
        documents: Files that were made beside it, such as the bill of materials.
    """
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": image.path.name, "digest": {"sha256": image.digest()}},
            {"name": image.name, "digest": {"sha256": image.image_id}},
        ],
        "predicateType": PREDICATE,
        "predicate": {"buildDefinition": _definition(build), "runDetails": _run(build, documents)},
    }


def _definition(build: Build) -> Mapping[str, object]:
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {**build.parameters, "recipe": build.recipe.name},
        "resolvedDependencies": _materials(build),
    }


def _materials(build: Build) -> Sequence[Mapping[str, object]]:
    source = {"name": "source", "digest": {"gitCommit": build.source.commit}}
    modified = {"annotations": {"modified": build.source.modified}}
    base = {"name": build.base, **({"digest": {"sha256": build.base_id}} if build.base_id else {})}
    return [{**source, **modified}, base, *map(_file, (build.recipe, build.lock))]


def _run(build: Build, documents: Sequence[Path]) -> Mapping[str, object]:
    return {
        "builder": {"id": build.builder},
        "metadata": {"startedOn": _time(build.started), "finishedOn": _time(build.finished)},
        "byproducts": list(map(_file, documents)),
    }


def _file(path: Path) -> Mapping[str, object]:
    return {"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
