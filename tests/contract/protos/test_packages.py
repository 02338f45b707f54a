"""What persons call and what services say to each other are packages apart."""

import pytest

from tests.contract.products import internal_package, proto_files, proto_package, service_names


@pytest.mark.parametrize("service", service_names())
def test_the_public_contract_says_nothing_of_the_internal_one(service: str) -> None:
    imported = {each.name for file in proto_files(proto_package(service)) for each in file.dependencies}

    assert [name for name in sorted(imported) if name.startswith("pellicule/internal/")] == []


@pytest.mark.parametrize("service", service_names())
def test_reasons_and_purposes_stand_in_no_internal_package(service: str) -> None:
    enums = {name for file in proto_files(internal_package(service)) for name in file.enum_types_by_name}

    assert enums & {"ErrorReason", "Purpose"} == set()
