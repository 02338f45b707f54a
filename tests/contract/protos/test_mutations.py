"""Conventions of the contracts that no linter knows."""

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


_PUBLIC = [rpc for rpc in _RPCS.values() if not is_internal(rpc)]


def test_a_request_never_names_the_person_whom_the_caller_is() -> None:
    fields = [field for rpc in _PUBLIC for field in rpc.input_type.fields]

    assert [field.full_name for field in fields if field.name in {"subject", "user_id"}] == []


def test_a_mutation_can_be_called_again() -> None:
    mutations = [rpc for rpc in _PUBLIC if not rpc.name.startswith(_READS)]
    known_by_request = {rpc.name for rpc in mutations if "request_id" in rpc.input_type.fields_by_name}

    assert {rpc.name for rpc in mutations} == known_by_request | _IDEMPOTENT.keys()
    assert known_by_request & _IDEMPOTENT.keys() == set()


def test_a_list_is_paged_from_day_one() -> None:
    lists = [rpc for rpc in _RPCS.values() if rpc.name.startswith("List")]

    assert [rpc.name for rpc in lists if not {"page_size", "page_token"}.issubset(rpc.input_type.fields_by_name)] == []
    assert [rpc.name for rpc in lists if "next_page_token" not in rpc.output_type.fields_by_name] == []


def test_requests_and_responses_are_the_rpcs_own() -> None:
    messages = {name: (rpc.input_type.name, rpc.output_type.name) for name, rpc in _RPCS.items()}

    assert messages == {name: (f"{rpc.name}Request", f"{rpc.name}Response") for name, rpc in _RPCS.items()}
