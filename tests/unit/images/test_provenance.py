"""The provenance of an image is an in-toto statement of SLSA's predicate, about this very archive."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.images.archive import ImageArchive, read_archive
from deploy.images.provenance import Build, Source, statement
from tests.unit.images.archives import write_archive

_URI = re.compile(r"[a-z]+:\S+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def image(tmp_path: Path) -> ImageArchive:
    return read_archive(write_archive(tmp_path / "image.tar", [{"a": b"1"}]), lambda path: False)


@pytest.fixture
def document(image: ImageArchive, tmp_path: Path) -> Mapping[str, Any]:
    for name in ("service.Containerfile", "requirements.lock", "image.cdx.json"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    build = Build(
        builder="urn:pellicule:builder:buildah:1.28.2",
        source=Source("c0ffee", modified=True),
        recipe=tmp_path / "service.Containerfile",
        base="pellicule-base:bookworm",
        base_id="ba5e",
        lock=tmp_path / "requirements.lock",
        parameters={"BASE": "pellicule-base:bookworm"},
        started=datetime(2026, 12, 1, 8, 0, 0, 500, tzinfo=UTC),
        finished=datetime(2026, 12, 1, 8, 5, tzinfo=UTC),
    )
    return cast("Mapping[str, Any]", statement(image, build, [tmp_path / "image.cdx.json"]))


def test_it_has_what_the_formats_require(document: Mapping[str, Any]) -> None:
    definition, run = document["predicate"]["buildDefinition"], document["predicate"]["runDetails"]

    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert _URI.fullmatch(definition["buildType"])
    assert _URI.fullmatch(run["builder"]["id"])
    assert all(_TIME.fullmatch(run["metadata"][name]) for name in ("startedOn", "finishedOn"))
    assert definition["externalParameters"] == {"BASE": "pellicule-base:bookworm", "recipe": "service.Containerfile"}


def test_the_subject_is_the_archive_and_the_image_in_it(document: Mapping[str, Any], image: ImageArchive) -> None:
    archive = hashlib.sha256(image.path.read_bytes()).hexdigest()

    assert document["subject"] == [
        {"name": "image.tar", "digest": {"sha256": archive}},
        {"name": "pellicule:test", "digest": {"sha256": image.image_id}},
    ]


def test_every_material_has_a_digest(document: Mapping[str, Any]) -> None:
    materials = {each["name"]: each for each in document["predicate"]["buildDefinition"]["resolvedDependencies"]}

    assert set(materials) == {"source", "pellicule-base:bookworm", "service.Containerfile", "requirements.lock"}
    assert materials["source"]["digest"] == {"gitCommit": "c0ffee"}
    assert materials["pellicule-base:bookworm"]["digest"] == {"sha256": "ba5e"}
    assert materials["requirements.lock"]["digest"] == {"sha256": hashlib.sha256(b"requirements.lock").hexdigest()}


def test_a_checkout_that_was_changed_is_told(document: Mapping[str, Any]) -> None:
    source = document["predicate"]["buildDefinition"]["resolvedDependencies"][0]

    assert source["annotations"] == {"modified": True}


def test_the_bill_of_materials_is_named_by_its_digest(document: Mapping[str, Any]) -> None:
    digest = hashlib.sha256(b"image.cdx.json").hexdigest()

    assert document["predicate"]["runDetails"]["byproducts"] == [
        {"name": "image.cdx.json", "digest": {"sha256": digest}}
    ]
