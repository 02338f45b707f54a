"""Every RPC, called by every kind of caller at every door: who is let through stands here once more, by hand."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from deploy.declarations import SERVICES
from services.chassis.clock import SystemClock
from services.chassis.tokens import Role, mint_token
from tests.e2e.harness import RunningStack

PROTO = Path(__file__).parents[2] / "proto"
PERSON = frozenset({"person"})
EVERY_SERVICE = frozenset(SERVICES)
ANYONE = frozenset({"nobody", "stranger", "person", "operator", "auditor", *SERVICES})
BESIDES_PERSONS = {
    "pellicule.consent.v1.NoticeService/ListNotices": ANYONE,
    "pellicule.consent.v1.NoticeService/GetNotice": ANYONE,
    "pellicule.consent.v1.NoticeService/DiffNotices": ANYONE,
    "pellicule.consent.v1.ConsentService/GetAvailability": ANYONE,
    "pellicule.retention.v1.RetentionService/GetDataMap": ANYONE,
    "pellicule.retention.v1.RetentionService/RequestErasure": PERSON | {"ingest"},
    "pellicule.retention.v1.RetentionService/ShortenDeadline": PERSON | {"ingest"},
    "pellicule.analysis.v1.AnalysisService/GetAnalysis": PERSON | {"suggestion"},
    "pellicule.analysis.v1.AnalysisService/ListAnalyses": PERSON | {"suggestion"},
    "pellicule.analysis.v1.AnalysisService/GetProgress": PERSON | {"suggestion"},
    "pellicule.analysis.v1.AnalysisService/ReadPreview": PERSON | {"suggestion"},
}
"""Public RPCs that others than persons may call as well; all the rest is a person's alone."""
INTERNAL = {
    "pellicule.internal.retention.v1.KeyService/GrantPurposeKey": {"consent"},
    "pellicule.internal.retention.v1.KeyService/DestroyPurposeKeys": {"consent"},
    "pellicule.internal.analysis.v1.LibraryService/ListLibrary": {"suggestion"},
}
"""Internal RPCs that not every service may call."""
REFUSALS = frozenset({"TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "CALLER_NOT_ALLOWED"})


@dataclass(frozen=True)
class Door:
    """A channel to a service, and who comes through it."""

    caller: str
    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...]


def described(service: str) -> Iterator[ServiceDescriptor]:
    """Yield the public and internal gRPC services of a service."""
    for file in sorted(PROTO.glob(f"pellicule/**/{service}/v1/*_service.proto")):
        module = importlib.import_module(str(file.relative_to(PROTO).with_suffix("")).replace("/", ".") + "_pb2")
        yield from module.DESCRIPTOR.services_by_name.values()


METHODS = [
    (service, method) for service in SERVICES for described_service in described(service)
    for method in described_service.methods
]  # fmt: skip


def called(method: MethodDescriptor) -> str:
    return f"{method.containing_service.full_name}/{method.name}"


def is_internal(method: MethodDescriptor) -> bool:
    return ".internal." in method.full_name


INTERNAL_METHODS = [(service, method) for service, method in METHODS if is_internal(method)]


def allowed(method: MethodDescriptor) -> frozenset[str]:
    name = called(method)
    return frozenset(INTERNAL.get(name, EVERY_SERVICE)) if is_internal(method) else BESIDES_PERSONS.get(name, PERSON)


def is_let_through(door: Door, method: MethodDescriptor) -> bool:
    """Call with an empty request; tell whether what came back is no refusal of the caller."""
    reply = GetMessageClass(method.output_type)
    make = getattr(
        door.channel,
        f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}",
    )
    rpc = make(f"/{called(method)}", request_serializer=bytes, response_deserializer=reply.FromString)
    request = iter([b""]) if method.client_streaming else b""
    try:
        answer = rpc(request, metadata=door.metadata, timeout=5)
        if method.server_streaming:
            next(answer, None)
            answer.cancel()
    except grpc.RpcError as error:
        return error.code() is not grpc.StatusCode.UNIMPLEMENTED and reason(error) not in REFUSALS
    return True


def reason(error: grpc.RpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None, error
    status.details[0].Unpack(info)
    return str(info.reason)


def token(stack: RunningStack, role: Role | None = None, key: bytes | None = None) -> tuple[tuple[str, str], ...]:
    signed = mint_token(
        key or stack.home.key("token.pem").read_bytes(),
        issuer="pellicule-local", audience="pellicule", subject="caller", ttl=timedelta(hours=1), role=role,
        clock=SystemClock(),
    )  # fmt: skip
    return (("authorization", f"Bearer {signed}"),)


@pytest.fixture(scope="module")
def public(stack: RunningStack) -> Iterator[dict[str, list[Door]]]:
    own = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    bearers = {
        "nobody": (),
        "stranger": token(stack, key=own),
        "person": token(stack),
        "operator": token(stack, "operator"),
        "auditor": token(stack, "auditor"),
    }
    doors = {}
    for service in SERVICES:
        channel = grpc.secure_channel(stack.address(service), credentials)
        doors[service] = [Door(caller, channel, metadata) for caller, metadata in bearers.items()]
    yield doors
    for each in doors.values():
        each[0].channel.close()


@pytest.fixture(scope="module")
def internal(stack: RunningStack) -> Iterator[dict[str, list[Door]]]:
    ports = json.loads(stack.home.ports.read_text())
    acting = (("pellicule-subject", stack.pseudonym("caller")),)
    doors: dict[str, list[Door]] = {}
    for service in SERVICES:
        for caller in SERVICES:
            certificate, key = stack.home.certificate(caller)
            credentials = grpc.ssl_channel_credentials(
                stack.home.authority.read_bytes(), key.read_bytes(), certificate.read_bytes()
            )
            channel = grpc.secure_channel(f"127.0.0.1:{ports[f'{service}-internal']}", credentials)
            doors.setdefault(service, []).append(Door(caller, channel, acting))
    yield doors
    for each in doors.values():
        for door in each:
            door.channel.close()


@pytest.mark.parametrize(("service", "method"), METHODS, ids=[called(method) for _, method in METHODS])
def test_an_rpc_lets_through_whom_it_is_for_and_no_other(
    public: dict[str, list[Door]], internal: dict[str, list[Door]], service: str, method: MethodDescriptor
) -> None:
    doors = [*([] if is_internal(method) else public[service]), *internal[service]]

    through = {door.caller for door in doors if is_let_through(door, method)}

    assert through == allowed(method)


@pytest.mark.parametrize(("service", "method"), INTERNAL_METHODS, ids=[called(each) for _, each in INTERNAL_METHODS])
def test_what_services_say_to_each_other_is_not_at_the_public_door(
    public: dict[str, list[Door]], service: str, method: MethodDescriptor
) -> None:
    assert not any(is_let_through(door, method) for door in public[service])


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_services_certificate_the_internal_door_stays_shut(stack: RunningStack, service: str) -> None:
    ports = json.loads(stack.home.ports.read_text())
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{ports[f'{service}-internal']}", credentials) as channel:
        ask: Any = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes)
        with pytest.raises(grpc.RpcError) as caught:
            ask(b"", metadata=token(stack), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
