"""Every field of every public request, set to what no caller can mean: refused by name, whatever else is wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import grpc
import pytest
from google.api.field_behavior_pb2 import OUTPUT_ONLY, field_behavior
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from pellicule.ingest.v1 import media_service_pb2
from tests.e2e.harness import RunningStack
from tests.e2e.test_who_may_call import METHODS, called, is_internal, token

YEAR_1, YEAR_9999 = -62_135_596_800, 253_402_300_799
TEXTS = ("\0", "a\x07", "a\x1b[2J", "\u202egpj.exe", "x" * 100_000)
TIMES: tuple[dict[str, object], ...] = (
    {"seconds": YEAR_1},
    {"seconds": YEAR_9999},
    {"seconds": 2**62},
    {"nanos": -1},
    {"nanos": 2**31 - 1},
)
SPANS: tuple[dict[str, object], ...] = ({"seconds": 2**62}, {"seconds": -1}, {"nanos": 2**31 - 1})
FREE = frozenset({
    "pellicule.ingest.v1.UploadMediaRequest.chunk",
    "pellicule.ingest.v1.BatchUploadMediaRequest.chunk",
})  # fmt: skip
"""Bytes of pictures: any are a chunk."""


NAMES = frozenset({"pellicule.ingest.v1.AssetSummary.file_name"})
"""Names of files, as they are on the phone: what shows one spells out what would move a cursor."""


@dataclass(frozen=True)
class Field:
    """A field of a request, and the way to it."""

    method: MethodDescriptor
    way: tuple[FieldDescriptor, ...]

    def __str__(self) -> str:
        return f"{self.method.name}.{'.'.join(each.name for each in self.way)}"

    def set(self, value: object) -> Message:
        """Return a request with this field alone; of repeated ones the first."""
        request = GetMessageClass(self.method.input_type)()
        place: Any = request
        for each in self.way[:-1]:
            place = getattr(place, each.name)
            place = place.add() if each.is_repeated else place
            place.SetInParent()
        last = self.way[-1]
        if isinstance(value, dict):
            inner = getattr(place, last.name)
            inner.SetInParent()
            inner.MergeFrom(type(inner)(**value))
        elif last.is_repeated:
            getattr(place, last.name).append(value)
        else:
            setattr(place, last.name, value)
        if isinstance(request, media_service_pb2.UploadMediaRequest) and not request.header.WhichOneof("target"):
            request.header.upload = ""  # without a target nothing else of a header is looked at
        return request


def fields(method: MethodDescriptor, of: Descriptor, way: tuple[FieldDescriptor, ...] = ()) -> Iterator[Field]:
    for each in of.fields:
        if OUTPUT_ONLY in each.GetOptions().Extensions[field_behavior] or each.full_name in FREE:
            continue
        inner = each.message_type
        if inner is not None and not inner.full_name.startswith("google.protobuf."):
            yield from fields(method, inner, (*way, each))
        elif hostile(each):
            yield Field(method, (*way, each))


def hostile(field: FieldDescriptor) -> tuple[object, ...]:
    if field.message_type is not None:
        kinds = {"Timestamp": TIMES, "Duration": SPANS, "FieldMask": ({"paths": ["\0"]},)}
        return kinds[field.message_type.name]
    if field.full_name in NAMES:
        return TEXTS[-1:]
    return {
        FieldDescriptor.TYPE_STRING: TEXTS,
        FieldDescriptor.TYPE_BYTES: (b"short", bytes(100_000)),
        FieldDescriptor.TYPE_ENUM: (999_999,),
        FieldDescriptor.TYPE_INT32: (-1,),
        FieldDescriptor.TYPE_INT64: (-1, -(2**63)),
        FieldDescriptor.TYPE_DOUBLE: (float("nan"), float("inf"), float("-inf")),
        FieldDescriptor.TYPE_FLOAT: (float("nan"), float("inf"), float("-inf")),
    }.get(field.type, ())


FIELDS = [
    (service, field)
    for service, method in METHODS
    if not is_internal(method)
    for field in fields(method, method.input_type)
]


def refused(channel: grpc.Channel, field: Field, request: Message, metadata: object) -> set[str]:
    """Return the last parts of the fields that the answer names."""
    method = field.method
    sort = ("stream" if each else "unary" for each in (method.client_streaming, method.server_streaming))
    make = getattr(channel, "_".join(sort))
    reply = GetMessageClass(method.output_type)
    rpc = make(
        f"/{called(method)}", request_serializer=lambda sent: sent.SerializeToString(),
        response_deserializer=reply.FromString,
    )  # fmt: skip
    sent = iter([request]) if method.client_streaming else request
    try:
        answer = rpc(sent, metadata=metadata, timeout=10)
        first = next(answer) if method.server_streaming else answer
    except grpc.RpcError as error:
        status = rpc_status.from_call(cast("grpc.Call", error))
        return set() if status is None else named(status)
    if hasattr(first, "error"):
        return named(first.error)
    return {each.field for item in first.items for each in item.violations}


def named(status: status_pb2.Status) -> set[str]:
    found: set[str] = set()
    for detail in status.details:
        violations = error_details_pb2.BadRequest()
        if detail.Unpack(violations):
            found |= {each.field for each in violations.field_violations}
    return found


@pytest.fixture(scope="module")
def channels(stack: RunningStack) -> Iterator[dict[str, grpc.Channel]]:
    stack.rows("consent", "--grant", "CLOUD_PROCESSING", "--subject", "caller")
    credentials = grpc.ssl_channel_credentials(stack.home.authority.read_bytes())
    made = {service: grpc.secure_channel(stack.address(service), credentials) for service, _ in FIELDS}
    yield made
    for channel in made.values():
        channel.close()


@pytest.mark.parametrize(("service", "field"), FIELDS, ids=[str(field) for _, field in FIELDS])
def test_what_nobody_can_mean_is_refused_by_name(
    stack: RunningStack, channels: dict[str, grpc.Channel], service: str, field: Field
) -> None:
    metadata, last = token(stack), field.way[-1].name
    accepted = [
        str(value)[:40]
        for value in hostile(field.way[-1])
        for names in [refused(channels[service], field, field.set(value), metadata)]
        if not any(re.sub(r"\[\d+\]$", "", name).rpartition(".")[2] == last for name in names)
    ]
    assert accepted == []
