"""An RPC without a row is refused; a row without an RPC is a mistake."""

import importlib

import pytest

from services.chassis.access import AccessTable, Caller, ServiceNamed
from tests.contract.products import (
    full_name,
    internal_package,
    is_internal,
    proto_package,
    rpc_services,
    rpcs,
    service_names,
)


def _table(service: str) -> AccessTable:
    table: AccessTable = importlib.import_module(f"services.{service}.access").ACCESS
    return table


@pytest.mark.parametrize("service", service_names())
def test_every_rpc_has_a_row_that_says_who_may_call_it(service: str) -> None:
    assert {full_name(rpc) for rpc in rpcs(service)} - set(_table(service)) == set()


@pytest.mark.parametrize("service", service_names())
def test_every_row_is_about_an_rpc_that_there_is(service: str) -> None:
    assert set(_table(service)) - {full_name(rpc) for rpc in rpcs(service)} == set()


@pytest.mark.parametrize("service", service_names())
def test_every_row_admits_somebody(service: str) -> None:
    assert [method for method, grants in _table(service).items() if not grants] == []


@pytest.mark.parametrize("service", service_names())
def test_what_is_internal_is_for_services_alone(service: str) -> None:
    grants = {grant for rpc in rpcs(service) if is_internal(rpc) for grant in _table(service)[full_name(rpc)]}
    assert [each for each in grants if not isinstance(each, ServiceNamed) and each is not Caller.SERVICE] == []


@pytest.mark.parametrize("service", service_names())
def test_every_service_of_the_contract_is_served_and_told_by_reflection_where_it_belongs(service: str) -> None:
    main = vars(importlib.import_module(f"services.{service}.__main__"))

    assert {each.full_name for each in rpc_services(proto_package(service))} == set(main["SERVICES"])
    assert {each.full_name for each in rpc_services(internal_package(service))} == set(
        main.get("INTERNAL_SERVICES", ())
    )
