"""The bill of materials of an image has the fields that CycloneDX requires, and every package once."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from deploy.images import packages
from deploy.images.archive import read_archive
from deploy.images.bill import bill
from tests.unit.images.archives import metadata, write_archive

_STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
Description: GNU C Library
 Version: of a text that is no field

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
_LAYER = {
    "var/lib/dpkg/status": _STATUS.encode(),
    "usr/lib/os-release": b'ID=debian\nVERSION_ID="12"\n',
    **metadata(
        "Alpha_One", "1.0", "License-Expression: MIT", "Requires-Dist: beta>=2", "Requires-Dist: c; extra == 'x'"
    ),
    **metadata("beta", "2.1", f"License: {'a long text ' * 40}", "Classifier: License :: OSI Approved :: BSD License"),
    **metadata("c", "3", "Requires-Dist: not-installed"),
}


@pytest.fixture
def document(tmp_path: Path) -> Mapping[str, Any]:
    image = read_archive(write_archive(tmp_path / "image.tar", [_LAYER]), packages.is_wanted)
    return cast("Mapping[str, Any]", bill(image, version="0.1.0", epoch=1_800_000_000))


def components(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {each["name"]: each for each in document["components"]}


def test_it_has_what_the_format_requires(document: Mapping[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["metadata"]["timestamp"])
    for component in (document["metadata"]["component"], *document["components"]):
        assert component["type"] in ("container", "library")
        assert component["name"]


def test_references_are_unique_and_lead_somewhere(document: Mapping[str, Any]) -> None:
    references = [each["bom-ref"] for each in (document["metadata"]["component"], *document["components"])]
    rows: Sequence[Mapping[str, Any]] = document["dependencies"]

    assert len(references) == len(set(references))
    assert {row["ref"] for row in rows} | {ref for row in rows for ref in row["dependsOn"]} == set(references)


def test_packages_of_python_and_of_the_system_are_named_alike(document: Mapping[str, Any]) -> None:
    assert [each["purl"] for each in document["components"]] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12",
        "pkg:pypi/alpha-one@1.0",
        "pkg:pypi/beta@2.1",
        "pkg:pypi/c@3",
    ]


def test_a_licence_is_its_name_and_never_its_text(document: Mapping[str, Any]) -> None:
    named = {
        name: each["licenses"][0]["license"]["name"]
        for name, each in components(document).items()
        if "licenses" in each
    }

    assert named == {"alpha-one": "MIT", "beta": "BSD License"}


def test_what_a_package_needs_is_told_and_nothing_that_is_only_an_extra(document: Mapping[str, Any]) -> None:
    rows = {row["ref"]: row["dependsOn"] for row in document["dependencies"] if row["ref"].startswith("pkg:")}

    assert rows == {"pkg:pypi/alpha-one@1.0": ["pkg:pypi/beta@2.1"]}


def test_the_same_image_gives_the_same_bill(document: Mapping[str, Any], tmp_path: Path) -> None:
    image = read_archive(write_archive(tmp_path / "again.tar", [_LAYER]), packages.is_wanted)

    assert bill(image, version="0.1.0", epoch=1_800_000_000) == document
