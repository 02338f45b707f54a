"""Server reflection: what a listener serves, for grpcurl and others, in both versions of the protocol.

The messages of v1 and v1alpha are the same on the wire; grpcio brings the older one alone. A listener describes its own
packages and what they import, and no others: what is not served here cannot be looked up here either.
"""

import importlib
import pkgutil
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection, reflection_pb2

from services.chassis.calls import Context

_V1ALPHA = "grpc.reflection.v1alpha"
_V1 = "grpc.reflection.v1"
_METHOD = "ServerReflectionInfo"

Requests: TypeAlias = AsyncIterator[reflection_pb2.ServerReflectionRequest]


def enable_reflection(server: grpc.aio.Server, service_names: Sequence[str]) -> None:
    """Add reflection to a server.

    Args:
        server: Not started yet.
        service_names: Full names of the services that the listener shows; health and reflection come by themselves.
    """
    names = (*service_names, health.SERVICE_NAME, f"{_V1}.ServerReflection", f"{_V1ALPHA}.ServerReflection")
    handler = grpc.stream_stream_rpc_method_handler(
        _Descriptions(names).answers,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for package in (_V1, _V1ALPHA):
        generic = grpc.method_handlers_generic_handler(f"{package}.ServerReflection", {_METHOD: handler})
        server.add_generic_rpc_handlers((generic,))


class _Descriptions:
    """The library's servicer, which also finds methods: they are described where their service is."""

    def __init__(self, service_names: Sequence[str]) -> None:
        self._pool = _pool(service_names)
        self._library: Any = reflection.aio.ReflectionServicer(service_names, pool=self._pool)

    async def answers(
        self, requests: Requests, context: Context
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        """Answer each request of a stream."""
        async for answer in self._library.ServerReflectionInfo(self._of_services(requests), context):
            yield answer

    async def _of_services(self, requests: Requests) -> Requests:
        async for request in requests:
            if request.HasField("file_containing_symbol"):
                request.file_containing_symbol = self._holder(request.file_containing_symbol)
            yield request

    def _holder(self, symbol: str) -> str:
        service, _, method = symbol.rpartition(".")
        try:
            return service if method in self._pool.FindServiceByName(service).methods_by_name else symbol
        except KeyError:
            return symbol


def _pool(service_names: Sequence[str]) -> DescriptorPool:
    """Return a pool with the files of these services' packages and all that they import."""
    pool, added = DescriptorPool(), set[str]()
    pool.AddSerializedFile(_v1_file().SerializeToString())
    _add(pool, error_details_pb2.DESCRIPTOR, added)  # for clients that show the details of an error
    for name in service_names:
        if not name.startswith(f"{_V1}."):
            for file in _files(descriptor_pool.Default().FindFileContainingSymbol(name)):
                _add(pool, file, added)
    return pool


def _files(file: FileDescriptor) -> Iterator[FileDescriptor]:
    """Yield the files of a file's package: its enum of reasons stands in one that no service imports."""
    yield file
    stub = sys.modules.get(f"{file.name.removesuffix('.proto').replace('/', '.')}_pb2")
    if stub is None or stub.__package__ is None:
        return
    package = importlib.import_module(stub.__package__)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.endswith("_pb2"):
            yield importlib.import_module(module.name).DESCRIPTOR


def _add(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, added)
    pool.AddSerializedFile(_with_json_names(file).SerializeToString())


def _with_json_names(file: FileDescriptor) -> FileDescriptorProto:
    """Return a file with its fields' names in JSON, which stubs for Python leave out and grpcurl goes by."""
    described = FileDescriptorProto.FromString(file.serialized_pb)
    for message in _messages(described.message_type):
        for field in message.field:
            head, *words = field.name.split("_")
            field.json_name = head + "".join(word[:1].upper() + word[1:] for word in words)
    return described


def _messages(messages: Iterable[DescriptorProto]) -> Iterator[DescriptorProto]:
    for message in messages:
        yield message
        yield from _messages(message.nested_type)


def _v1_file() -> FileDescriptorProto:
    """Return the file of v1: that of v1alpha under its other name."""
    text = text_format.MessageToString(FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb))
    renamed = text.replace(_V1ALPHA, _V1).replace("reflection/v1alpha", "reflection/v1")
    return text_format.Parse(renamed, FileDescriptorProto())
