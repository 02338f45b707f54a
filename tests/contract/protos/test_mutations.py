"""Conventions of the contracts that no linter knows."""

import pytest
from google.protobuf.descriptor import MethodDescriptor

from tests.contract.products import full_name, rpcs, service_names

_READS = ("Get", "List", "Watch", "Read", "Diff")
_RPCS = {full_name(rpc): rpc for service in service_names() for rpc in rpcs(service)}


@pytest.mark.parametrize("name", sorted(_RPCS))
def test_a_request_never_names_the_person_whom_the_caller_is(name: str) -> None:
    if "/pellicule.retention.v1." not in name or "/pellicule.retention.v1.RetentionService/" in name:
        assert [field.name for field in _RPCS[name].input_type.fields if field.name in {"subject", "user_id"}] == []


def _lists(rpc: MethodDescriptor) -> bool:
    return rpc.name.startswith("List")


@pytest.mark.parametrize("name", sorted(name for name, rpc in _RPCS.items() if _lists(rpc)))
def test_a_list_is_paged_from_day_one(name: str) -> None:
    asked, answered = _RPCS[name].input_type, _RPCS[name].output_type

    assert {"page_size", "page_token"} <= {field.name for field in asked.fields}
    assert "next_page_token" in {field.name for field in answered.fields}


@pytest.mark.parametrize("name", sorted(_RPCS))
def test_requests_and_responses_are_the_rpcs_own(name: str) -> None:
    rpc = _RPCS[name]

    assert (rpc.input_type.name, rpc.output_type.name) == (f"{rpc.name}Request", f"{rpc.name}Response")
