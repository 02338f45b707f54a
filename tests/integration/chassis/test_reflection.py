"""What reflection tells: in both versions of the protocol, and on each listener what is served there."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2

from pellicule.ingest.v1 import media_service_pb2
from services.chassis.reflection import enable_reflection
from services.chassis.server import RunningServer
from tests.integration.chassis.conftest import Site, internal_channel
from tests.integration.chassis.echo import INTERNAL_SERVICE, SERVICE

VERSIONS = ("v1", "v1alpha")
OF_EVERY_LISTENER = {
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


async def ask(channel: grpc.aio.Channel, version: str, **asked: str) -> Any:
    """Return the answer to one request."""
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request: Any = reflection_pb2.ServerReflectionRequest(**asked)  # type: ignore[arg-type]
    (answer,) = [each async for each in call(iter([request]))]
    return answer


async def services(channel: grpc.aio.Channel, version: str) -> set[str]:
    answer = await ask(channel, version, list_services="")
    return {each.name for each in answer.list_services_response.service}


async def files(channel: grpc.aio.Channel, version: str, symbol: str) -> set[str]:
    answer = await ask(channel, version, file_containing_symbol=symbol)
    found = answer.file_descriptor_response.file_descriptor_proto
    return {FileDescriptorProto.FromString(each).name for each in found}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stranger_learns_the_public_services(public: grpc.aio.Channel, version: str) -> None:
    assert await services(public, version) == {SERVICE, *OF_EVERY_LISTENER}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_service_learns_the_internal_ones_as_well(server: RunningServer, site: Site, version: str) -> None:
    async with internal_channel(server.internal_port, site.authority.issue("analysis")) as channel:
        assert await services(channel, version) == {SERVICE, INTERNAL_SERVICE, *OF_EVERY_LISTENER}
        assert await files(channel, version, INTERNAL_SERVICE)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_internal_is_described_to_no_stranger(public: grpc.aio.Channel, version: str) -> None:
    answers = [
        await ask(public, version, file_containing_symbol=INTERNAL_SERVICE),
        await ask(public, version, file_by_filename="pellicule/internal/test/v1/echo_service.proto"),
    ]
    assert {each.error_response.error_code for each in answers} == {grpc.StatusCode.NOT_FOUND.value[0]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("symbol", [SERVICE, f"{SERVICE}.Say", *sorted(OF_EVERY_LISTENER)])
async def test_services_and_their_methods_are_described(public: grpc.aio.Channel, version: str, symbol: str) -> None:
    assert await files(public, version, symbol)


@pytest.fixture
async def of_ingest() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    enable_reflection(server, [media_service_pb2.DESCRIPTOR.services_by_name["MediaService"].full_name])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "symbol",
    ["pellicule.ingest.v1.ErrorReason", "pellicule.ingest.v1.MediaService.GetMedia", "pellicule.ingest.v1.Media"],
)
async def test_the_whole_package_of_a_service_is_described(
    of_ingest: grpc.aio.Channel, version: str, symbol: str
) -> None:
    assert await files(of_ingest, version, symbol)


async def test_fields_bear_their_names_in_json(of_ingest: grpc.aio.Channel) -> None:
    answer = await ask(of_ingest, "v1", file_by_filename="pellicule/ingest/v1/media.proto")
    found = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    (asset,) = (message for message in found.message_type if message.name == "AssetSummary")
    names = {field.name: field.json_name for field in asset.field}
    assert (names["sha256"], names["client_id"], names["size_bytes"]) == ("sha256", "clientId", "sizeBytes")
