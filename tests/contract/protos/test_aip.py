"""What Google's API improvement proposals ask of public contracts, as far as a program can tell.

Where the contracts differ from them, and why: docs/api-guidelines.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from google.api import annotations_pb2, field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from tests.contract.products import full_name, is_internal, proto_files, proto_package, rpcs, service_names

_RPCS = {full_name(rpc): rpc for service in service_names() for rpc in rpcs(service) if not is_internal(rpc)}
_VERBS = ("get", "put", "post", "patch", "delete")
_WORDED = ("title", "reason", "label", "holds", "remedy_text")
"""Fields whose words are for people, in the language asked for."""
_ALL_LANGUAGES = {"GetNotice", "ListNotices"}
"""Answers that hold the words of every language, as what was agreed to must be seen whole."""


def _messages(service: str) -> Iterator[Descriptor]:
    for file in proto_files(proto_package(service)):
        yield from file.message_types_by_name.values()


_MESSAGES = {message.full_name: message for service in service_names() for message in _messages(service)}
_RESOURCES = sorted(
    name for name, message in _MESSAGES.items() if message.GetOptions().HasExtension(resource_pb2.resource)
)


def _path(rpc: MethodDescriptor) -> tuple[str, str]:
    rule = rpc.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern") or ""
    return verb, getattr(rule, verb) if verb else ""


def _behaviour(field: FieldDescriptor) -> set[int]:
    return set(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _inside(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None and field.message_type.full_name not in seen:
            yield from _inside(field.message_type, seen)


def test_a_gateway_can_speak_json_to_every_rpc_that_takes_one_message() -> None:
    paths = {name: _path(rpc) for name, rpc in _RPCS.items() if not rpc.client_streaming}

    assert {name: verb for name, (verb, _) in paths.items() if verb not in _VERBS} == {}
    assert {name: path for name, (_, path) in paths.items() if not path.startswith("/v1/")} == {}


def test_what_only_reads_is_a_get() -> None:
    verbs = {name: _path(rpc)[0] for name, rpc in _RPCS.items() if rpc.name.startswith(("Get", "List", "Watch"))}

    assert {name: verb for name, verb in verbs.items() if verb != "get"} == {}


def test_no_two_rpcs_have_the_same_path() -> None:
    paths = Counter(_path(rpc) for rpc in _RPCS.values() if not rpc.client_streaming)

    assert [path for path, count in paths.items() if count > 1] == []


def test_a_hash_is_bytes() -> None:
    fields = [field for message in _MESSAGES.values() for field in message.fields if field.name.endswith("sha256")]

    assert [field.full_name for field in fields if field.type != FieldDescriptor.TYPE_BYTES] == []


@pytest.mark.parametrize("name", _RESOURCES)
def test_the_name_of_a_resource_identifies_it_and_has_a_pattern(name: str) -> None:
    described = _MESSAGES[name].GetOptions().Extensions[resource_pb2.resource]

    assert described.pattern
    assert described.type.endswith(f".pellicule/{_MESSAGES[name].name}")
    assert _behaviour(_MESSAGES[name].fields_by_name["name"]) == {field_behavior_pb2.IDENTIFIER}


def test_every_reference_names_a_resource_that_exists() -> None:
    known = {_MESSAGES[name].GetOptions().Extensions[resource_pb2.resource].type for name in _RESOURCES}
    references: Mapping[str, str] = {
        field.full_name: field.GetOptions().Extensions[resource_pb2.resource_reference].type
        for message in _MESSAGES.values()
        for field in message.fields
        if field.GetOptions().HasExtension(resource_pb2.resource_reference)
    }

    assert {field: type_ for field, type_ in references.items() if type_ not in known} == {}


def test_who_answers_in_words_is_asked_in_which_language() -> None:
    worded = [rpc for rpc in _RPCS.values() if rpc.name not in _ALL_LANGUAGES and _answers_in_words(rpc)]

    assert [rpc.name for rpc in worded if "language_code" not in rpc.input_type.fields_by_name] == []


def _answers_in_words(rpc: MethodDescriptor) -> bool:
    texts = (field for field in _inside(rpc.output_type, set()) if field.type == FieldDescriptor.TYPE_STRING)
    return any(field.name in _WORDED for field in texts)


def test_a_stream_of_bytes_goes_on_from_an_offset_and_says_its_size() -> None:
    streams = [rpc for rpc in _RPCS.values() if rpc.server_streaming and "chunk" in rpc.output_type.fields_by_name]
    of_one = [rpc for rpc in streams if not rpc.name.startswith("Batch")]

    assert [rpc.name for rpc in streams if "header" not in rpc.output_type.fields_by_name] == []
    assert [rpc.name for rpc in of_one if "offset" not in rpc.input_type.fields_by_name] == []
