"""Purposes are one enum for all packages, and what must never be granted cannot be said."""

import pytest

from pellicule.type.v1 import purpose_pb2
from tests.contract.products import internal_package, proto_files, proto_package, service_names

_PACKAGES = [package(service) for service in service_names() for package in (proto_package, internal_package)]


@pytest.mark.parametrize("package", _PACKAGES)
def test_no_package_has_purposes_of_its_own(package: str) -> None:
    assert [file.name for file in proto_files(package) if "Purpose" in file.enum_types_by_name] == []


@pytest.mark.parametrize("word", ["AD", "ADS", "ADVERTISING", "REVIEW", "SALE"])
def test_what_must_never_be_granted_cannot_be_expressed(word: str) -> None:
    assert [name for name in purpose_pb2.Purpose.keys() if word in name.split("_")] == []  # noqa: SIM118  # no mapping
