"""A stranger with the CA's certificate, a token and reflection, and nothing of ours."""

from collections.abc import Iterator
from typing import cast

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from pellicule.internal.retention.v1 import key_service_pb2
from tests.e2e.harness import RunningStack

SERVICES = {
    "consent": "pellicule.consent.v1.ConsentService",
    "ingest": "pellicule.ingest.v1.MediaService",
    "analysis": "pellicule.analysis.v1.AnalysisService",
    "suggestion": "pellicule.suggestion.v1.SuggestionService",
    "retention": "pellicule.retention.v1.RetentionService",
}


def token(stack: RunningStack, *arguments: str) -> str:
    done = stack.run("token", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def call(channel: grpc.Channel, service: str, method: str, bearer: str, **fields: object) -> dict[str, object]:
    """Call an RPC with what reflection tells alone."""
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    described = pool.FindServiceByName(service).FindMethodByName(method)
    request = json_format.ParseDict(fields, GetMessageClass(described.input_type)())
    answer = channel.unary_unary(
        f"/{service}/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=GetMessageClass(described.output_type).FromString,
    )
    metadata = (("authorization", f"Bearer {bearer}"),) if bearer else ()
    found: dict[str, object] = json_format.MessageToDict(answer(request, metadata=metadata, timeout=10))
    return found


def reason(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(cast("grpc.Call", error))
    return str(status.details[0]) if status else ""


@pytest.fixture(params=SERVICES)
def door(request: pytest.FixtureRequest, stack: RunningStack) -> Iterator[tuple[str, grpc.Channel]]:
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with grpc.secure_channel(stack.address(request.param), credentials) as channel:
        yield request.param, channel


def test_reflection_names_every_service(door: tuple[str, grpc.Channel]) -> None:
    name, channel = door
    assert SERVICES[name] in ProtoReflectionDescriptorDatabase(channel).get_services()


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("consent", "GetConsentState"), ("consent", "DecideConsent"), ("consent", "WithdrawConsent"),
        ("ingest", "PlanUploads"), ("ingest", "ListMedia"), ("ingest", "DeleteMedia"),
        ("analysis", "ListAnalyses"), ("analysis", "GetProgress"),
        ("suggestion", "ListSuggestions"), ("suggestion", "SaveSuggestion"),
        ("retention", "RequestErasure"), ("retention", "ListErasures"),
    ],
)  # fmt: skip
def test_without_a_token_nothing_of_a_person_is_answered(stack: RunningStack, name: str, method: str) -> None:
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with (
        grpc.secure_channel(stack.address(name), credentials) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call(channel, SERVICES[name], method, "")
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "TOKEN_MISSING" in reason(caught.value)


def test_with_a_token_a_person_is_answered(stack: RunningStack) -> None:
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with grpc.secure_channel(stack.address("consent"), credentials) as channel:
        answer = call(channel, SERVICES["consent"], "GetConsentState", token(stack, "--subject", "stranger"))
    state = answer["state"]
    assert isinstance(state, dict)
    assert len(state["purposes"]) == 6


def test_an_expired_token_is_named_as_such(stack: RunningStack) -> None:
    short = token(stack, "--subject", "stranger", "--ttl", "1s")
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with grpc.secure_channel(stack.address("consent"), credentials) as channel:
        found = ""
        # The clock of the token is the machine's: ask until its second has passed.
        while "TOKEN_EXPIRED" not in found:
            try:
                call(channel, SERVICES["consent"], "GetConsentState", short)
            except grpc.RpcError as error:
                found = reason(error)
                assert "TOKEN_EXPIRED" in found


def test_keys_are_neither_told_of_nor_served_to_persons(stack: RunningStack) -> None:
    """Ask as one who has read the internal contract: reflection does not tell it on this port."""
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with grpc.secure_channel(stack.address("retention"), credentials) as channel:
        told = ProtoReflectionDescriptorDatabase(channel).get_services()
        ask = channel.unary_unary(
            "/pellicule.internal.retention.v1.KeyService/OpenDataKeys",
            request_serializer=key_service_pb2.OpenDataKeysRequest.SerializeToString,
            response_deserializer=key_service_pb2.OpenDataKeysResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as caught:
            ask(
                key_service_pb2.OpenDataKeysRequest(subject="someone"),
                metadata=(("authorization", f"Bearer {token(stack, '--subject', 'stranger')}"),),
                timeout=10,
            )

    assert [name for name in told if "internal" in name] == []
    assert caught.value.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.PERMISSION_DENIED)


def test_another_persons_media_does_not_exist(stack: RunningStack) -> None:
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    stack.rows("consent", "--grant", "CLOUD_PROCESSING", "--subject", "stranger")
    with (
        grpc.secure_channel(stack.address("ingest"), credentials) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call(
            channel, SERVICES["ingest"], "GetMedia", token(stack, "--subject", "stranger"),
            name="media/00000000-0000-4000-8000-000000000000",
        )  # fmt: skip
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert "MEDIA_NOT_FOUND" in reason(caught.value)
