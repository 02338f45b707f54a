"""A small service with all four kinds of RPC, described at run time so that reflection can tell of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2
from google.protobuf.wrappers_pb2 import StringValue

from services.chassis.access import AccessTable, Caller, ServiceNamed
from services.chassis.calls import Call, Context, current_call, seconds_left
from services.chassis.errors import DomainError, FieldInvalid, FieldViolation, InternalError, Status
from services.chassis.principal import current_principal, current_subject

Writer: TypeAlias = Callable[[StringValue], bytes]

SERVICE = "pellicule.test.v1.EchoService"
INTERNAL_SERVICE = "pellicule.internal.test.v1.EchoService"
_METHODS = {
    "Say": (False, False),
    "Collect": (True, False),
    "Watch": (False, True),
    "Chat": (True, True),
    "ServiceOnly": (False, False),
    "Unlisted": (False, False),
}
ACCESS: AccessTable = {
    f"/{SERVICE}/Say": frozenset({Caller.PERSON, Caller.SERVICE}),
    f"/{SERVICE}/Collect": frozenset({Caller.PERSON}),
    f"/{SERVICE}/Watch": frozenset({Caller.PERSON, Caller.SERVICE}),
    f"/{SERVICE}/Chat": frozenset({Caller.PERSON, Caller.SERVICE}),
    f"/{INTERNAL_SERVICE}/Say": frozenset({Caller.PERSON, Caller.SERVICE}),
    f"/{SERVICE}/ServiceOnly": frozenset({ServiceNamed("analysis")}),
}


class AlbumFull(DomainError):
    status = Status.RESOURCE_EXHAUSTED
    reason = "ALBUM_FULL"


_FAILURES: Mapping[str, Exception] = {
    "full": AlbumFull("the album is full: remove something", metadata={"limit": "3"}),
    "bad": FieldInvalid.of("word", "send another word"),
    "endless": FieldInvalid.all([FieldViolation(f"words[{place}]", "send another") for place in range(1000)]),
    "unread": InternalError("the service failed"),
    "bug": RuntimeError("the secret of the picture"),
}


class Echo:
    """Does what the request's text says."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.released = asyncio.Event()

    async def say(self, request: StringValue, context: Context) -> StringValue:
        if request.value == "certificate":
            return StringValue(value=next(iter(context.auth_context()["x509_pem_cert"])).decode())
        return StringValue(value=await self._do(request.value))

    async def collect(self, requests: AsyncIterator[StringValue], context: Context) -> StringValue:
        return StringValue(value="".join([await self._do(request.value) async for request in requests]))

    async def watch(self, request: StringValue, context: Context) -> AsyncIterator[StringValue]:
        for word in request.value.split(","):
            yield StringValue(value=await self._do(word))

    async def chat(self, requests: AsyncIterator[StringValue], context: Context) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield StringValue(value=await self._do(request.value))

    async def _do(self, word: str) -> str:
        match word:
            case "who":
                return repr(current_principal())
            case "subject":
                return current_subject()
            case "request":
                return _this_call().request_id
            case "left":
                return str(seconds_left())
            case "wait":
                await self._wait()
            case "until released":
                self.waiting.set()
                await self.released.wait()
            case _ if word in _FAILURES:
                raise _FAILURES[word]
        return word

    async def _wait(self) -> None:
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    def register(self, server: grpc.aio.Server) -> None:
        behaviours = {"Collect": self.collect, "Watch": self.watch, "Chat": self.chat}
        handlers = {name: _handler(*kinds, behaviours.get(name, self.say)) for name, kinds in _METHODS.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def register_internal(self, server: grpc.aio.Server) -> None:
        handlers = {"Say": _handler(False, False, self.say)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(INTERNAL_SERVICE, handlers),))


class EchoStub:
    """Calls the service."""

    def __init__(self, channel: grpc.aio.Channel, writes: Writer = StringValue.SerializeToString) -> None:
        codec: dict[str, Any] = {
            "request_serializer": writes,
            "response_deserializer": StringValue.FromString,
        }
        self.say = channel.unary_unary(f"/{SERVICE}/Say", **codec)
        self.collect = channel.stream_unary(f"/{SERVICE}/Collect", **codec)
        self.watch = channel.unary_stream(f"/{SERVICE}/Watch", **codec)
        self.chat = channel.stream_stream(f"/{SERVICE}/Chat", **codec)
        self.service_only = channel.unary_unary(f"/{SERVICE}/ServiceOnly", **codec)
        self.unlisted = channel.unary_unary(f"/{SERVICE}/Unlisted", **codec)
        self.say_internally = channel.unary_unary(f"/{INTERNAL_SERVICE}/Say", **codec)
        self.unknown = channel.unary_unary(f"/{SERVICE}/Unknown", **codec)


def _this_call() -> Call:
    call = current_call()
    assert call is not None
    return call


def describe() -> None:
    """Add the descriptions of both services to the default pool, once."""
    _describe("pellicule.test.v1", _METHODS)
    _describe("pellicule.internal.test.v1", {"Say": (False, False)})


def _describe(package: str, methods: Mapping[str, tuple[bool, bool]]) -> None:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}/echo_service.proto",
        package=package,
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    service = file.service.add(name="EchoService")
    for name, (streams_in, streams_out) in methods.items():
        service.method.add(
            name=name,
            input_type=".google.protobuf.StringValue",
            output_type=".google.protobuf.StringValue",
            client_streaming=streams_in,
            server_streaming=streams_out,
        )
    descriptor_pool.Default().Add(file)


def _handler(streams_in: bool, streams_out: bool, behaviour: Any) -> Any:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[streams_in, streams_out]
    return make(behaviour, StringValue.FromString, StringValue.SerializeToString)
