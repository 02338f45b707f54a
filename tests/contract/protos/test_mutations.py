"""Conventions of the contracts that no linter knows."""

import pytest
from google.protobuf.descriptor import MethodDescriptor

from tests.contract.products import full_name, is_internal, rpcs, service_names

_READS = ("Get", "List", "Watch", "Read", "BatchRead", "Diff", "Search", "Plan")
_IDEMPOTENT = {
    "UploadMedia": "a stream goes on at the offset of its upload, and the bytes are known by their hash",
    "BatchUploadMedia": "a file that is there already is answered with its media",
    "CancelUpload": "an upload that is gone is gone",
    "RegisterDevice": "a device is known by the name that its phone chose",
    "RevokeDevice": "a device that is revoked is revoked",
    "CancelAccountDeletion": "there is one deletion of an account at most",
    "RefreshSuggestions": "what is there is not made again",
    "AcknowledgeMediaChanges": "an acknowledgement never goes back",
    "AcknowledgeAnalysisChanges": "an acknowledgement never goes back",
    "AcknowledgeSuggestionChanges": "an acknowledgement never goes back",
}
"""Mutations that need no request_id, and why calling them again changes nothing."""
_RPCS = {full_name(rpc): rpc for service in service_names() for rpc in rpcs(service)}


@pytest.mark.parametrize("name", sorted(name for name, rpc in _RPCS.items() if not is_internal(rpc)))
def test_a_request_never_names_the_person_whom_the_caller_is(name: str) -> None:
    assert [field.name for field in _RPCS[name].input_type.fields if field.name in {"subject", "user_id"}] == []


def _changes_something(rpc: MethodDescriptor) -> bool:
    return not is_internal(rpc) and not rpc.name.startswith(_READS)


@pytest.mark.parametrize("name", sorted(name for name, rpc in _RPCS.items() if _changes_something(rpc)))
def test_a_mutation_can_be_called_again(name: str) -> None:
    rpc = _RPCS[name]

    assert ("request_id" in rpc.input_type.fields_by_name) != (rpc.name in _IDEMPOTENT)


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
