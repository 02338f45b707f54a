"""An RPC without a row is refused; a row without an RPC is a mistake."""

import importlib

import pytest

from services.chassis.access import AccessTable
from tests.contract.products import full_name, rpc_services, rpcs, service_names


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
def test_every_service_of_the_contract_is_served_and_told_by_reflection(service: str) -> None:
    main = importlib.import_module(f"services.{service}.__main__")
    served = next(value for name, value in vars(main).items() if name in {"SERVICES", "SERVICE_NAMES"})

    assert {each.full_name for each in rpc_services(service)} == set(served)
