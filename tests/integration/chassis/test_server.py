import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from services.chassis.error_details import read_error
from services.chassis.limits import CHUNK_BYTES, MAX_MESSAGE_BYTES, RECEIVED_MESSAGE_BYTES
from services.chassis.server import RunningServer
from services.chassis.tokens import subject_pseudonym
from tests.integration.chassis.conftest import ISSUER, Site, Start, bearer, internal_channel
from tests.integration.chassis.echo import SERVICE, Echo, EchoStub

pytestmark = pytest.mark.usefixtures("server")


def word(text: str) -> StringValue:
    return StringValue(value=text)


async def words(*texts: str) -> AsyncIterator[StringValue]:
    for text in texts:
        yield word(text)


def health_stub(channel: grpc.aio.Channel) -> Any:
    return health_pb2_grpc.HealthStub(cast("grpc.Channel", channel))


async def refusal(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_person_is_known_by_their_pseudonym(public: grpc.aio.Channel, site: Site) -> None:
    answer = await EchoStub(public).say(word("subject"), metadata=bearer(site.token("ada")))
    assert subject_pseudonym(site.subject_key, ISSUER, "ada") == answer.value


async def test_all_four_kinds_of_rpc_pass_the_chain(public: grpc.aio.Channel, site: Site) -> None:
    stub, who = EchoStub(public), bearer(site.token())
    assert (await stub.say(word("a"), metadata=who)).value == "a"
    assert (await stub.collect(words("a", "b"), metadata=who)).value == "ab"
    assert [m.value async for m in stub.watch(word("a,b"), metadata=who)] == ["a", "b"]
    assert [m.value async for m in stub.chat(words("a", "b"), metadata=who)] == ["a", "b"]


async def test_all_four_kinds_of_rpc_answer_with_the_domain_error(public: grpc.aio.Channel, site: Site) -> None:
    stub, who = EchoStub(public), bearer(site.token())
    errors = [
        await refusal(stub.say(word("full"), metadata=who)),
        await refusal(stub.collect(words("a", "full"), metadata=who)),
        await refusal(anext(aiter(stub.watch(word("full"), metadata=who)))),
        await refusal(anext(aiter(stub.chat(words("full"), metadata=who)))),
    ]
    assert [error.code() for error in errors] == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 4
    assert {("ALBUM_FULL", "test.pellicule", "3")} == {
        (e.reason, e.domain, e.metadata["limit"]) for e in map(read_error, errors)
    }


async def test_a_caller_who_is_still_sending_gets_the_answer(public: grpc.aio.Channel, site: Site) -> None:
    # Large enough that the writes wait for one another: without lingering, some thirty in two hundred end as INTERNAL.
    large = "x" * 65_536
    stub, who = EchoStub(public), bearer(site.token())
    errors = [await refusal(stub.collect(words("full", *[large] * 64), metadata=who)) for _ in range(200)]
    assert {read_error(error).reason for error in errors} == {"ALBUM_FULL"}


async def test_a_caller_who_sends_nothing_more_gets_the_answer(public: grpc.aio.Channel, site: Site) -> None:
    call = EchoStub(public).collect(metadata=bearer(site.token()), timeout=30)
    await call.write(word("full"))
    assert read_error(await refusal(call)).reason == "ALBUM_FULL"


async def test_a_caller_who_never_stops_sending_is_answered(public: grpc.aio.Channel, site: Site) -> None:
    async def without_end() -> AsyncIterator[StringValue]:
        yield word("full")
        while True:
            yield word("more")

    await refusal(EchoStub(public).collect(without_end(), metadata=bearer(site.token()), timeout=30))


async def test_a_bad_field_is_named_in_bad_request(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).say(word("bad"), metadata=bearer(site.token())))
    status = rpc_status.from_call(cast("grpc.Call", error))
    request = error_details_pb2.BadRequest()
    assert status is not None
    status.details[1].Unpack(request)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert [(v.field, v.description) for v in request.field_violations] == [("word", "send another word")]


async def test_a_bug_is_internal_and_says_nothing_about_itself(
    public: grpc.aio.Channel, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    error = await refusal(EchoStub(public).say(word("bug"), metadata=bearer(site.token())))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in (error.details() or "")


async def test_a_call_without_a_token_is_told_to_bring_one(public: grpc.aio.Channel) -> None:
    error = await refusal(EchoStub(public).say(word("a")))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


async def test_an_expired_token_is_refused(public: grpc.aio.Channel, site: Site) -> None:
    token = site.token(ttl=timedelta(seconds=-60))
    error = await refusal(EchoStub(public).say(word("a"), metadata=bearer(token)))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_a_forged_token_is_refused(public: grpc.aio.Channel, site: Site) -> None:
    token = site.token()
    forged = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    error = await refusal(EchoStub(public).say(word("a"), metadata=bearer(forged)))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_a_person_may_not_call_for_services(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).service_only(word("a"), metadata=bearer(site.token())))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")


async def test_a_person_cannot_name_another_subject(public: grpc.aio.Channel, site: Site) -> None:
    metadata = (*bearer(site.token("ada")), ("pellicule-subject", "0" * 32))
    answer = await EchoStub(public).say(word("subject"), metadata=metadata)
    assert subject_pseudonym(site.subject_key, ISSUER, "ada") == answer.value


async def test_a_method_without_a_row_is_refused_to_everyone(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).unlisted(word("a"), metadata=bearer(site.token(role="operator"))))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_a_method_that_does_not_exist_is_unimplemented(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).unknown(word("a"), metadata=bearer(site.token())))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_service_is_known_by_its_certificate(server: RunningServer, site: Site) -> None:
    async with internal_channel(server.internal_port, site.authority.issue("analysis")) as channel:
        answer = await EchoStub(channel).service_only(word("who"))
    assert answer.value == "Service(name='analysis', acting_for=None)"


async def test_a_service_acts_for_the_person_it_names(server: RunningServer, site: Site) -> None:
    metadata = (("pellicule-subject", "ab" * 16),)
    async with internal_channel(server.internal_port, site.authority.issue("suggestion")) as channel:
        answer = await EchoStub(channel).say(word("subject"), metadata=metadata)
    assert answer.value == "ab" * 16


async def test_another_service_may_not_call_what_is_for_one(server: RunningServer, site: Site) -> None:
    async with internal_channel(server.internal_port, site.authority.issue("ingest")) as channel:
        error = await refusal(EchoStub(channel).service_only(word("a")))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_a_certificate_of_no_service_is_nobody(server: RunningServer, site: Site) -> None:
    files = site.authority.issue("stranger", uri="spiffe://elsewhere/analysis")
    async with internal_channel(server.internal_port, files) as channel:
        error = await refusal(EchoStub(channel).service_only(word("a")))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_the_internal_listener_wants_a_certificate(server: RunningServer, site: Site) -> None:
    ca = site.authority.issue("phone").ca.read_bytes()
    target = f"127.0.0.1:{server.internal_port}"
    async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(ca)) as channel:
        error = await refusal(EchoStub(channel).say(word("a"), timeout=5))
    assert error.code() == grpc.StatusCode.UNAVAILABLE


async def in_time(attempt: Callable[[], Awaitable[set[str]]]) -> set[str]:
    """Return what the server gave as reasons, of the first try in which its answers came before the caller's own end.

    They come 50 ms before; a machine that stands still for that long tells the caller nothing of the server.
    """
    for _ in range(5):
        if "" not in (reasons := await attempt()):
            break
    return reasons


async def test_the_deadline_is_answered_before_the_caller_gives_up(
    public: grpc.aio.Channel, site: Site, service: Echo
) -> None:
    async def waits() -> set[str]:
        error = await refusal(EchoStub(public).say(word("wait"), timeout=0.3, metadata=bearer(site.token())))
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        return {read_error(error).reason}

    assert await in_time(waits) == {"DEADLINE_EXCEEDED"}
    assert service.cancelled.is_set()


async def test_the_deadline_ends_streams_of_every_kind(public: grpc.aio.Channel, site: Site, service: Echo) -> None:
    stub, who = EchoStub(public), bearer(site.token())

    async def wait() -> set[str]:
        watch = aiter(stub.watch(word("a,wait"), timeout=1, metadata=who))
        chat = aiter(stub.chat(words("a", "wait"), timeout=1, metadata=who))
        assert [(await anext(watch)).value, (await anext(chat)).value] == ["a", "a"]
        errors = [
            await refusal(stub.collect(words("a", "wait"), timeout=1, metadata=who)),
            await refusal(anext(watch)),
            await refusal(anext(chat)),
        ]
        return {read_error(error).reason for error in errors}

    assert await in_time(wait) == {"DEADLINE_EXCEEDED"}


async def test_an_upload_that_stalls_ends_at_its_deadline(public: grpc.aio.Channel, site: Site) -> None:
    async def stalling() -> AsyncIterator[StringValue]:
        yield word("a")
        await asyncio.Event().wait()

    call = EchoStub(public).collect(stalling(), timeout=0.3, metadata=bearer(site.token()))
    assert (await refusal(call)).code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_stream_whose_reader_leaves_is_stopped(public: grpc.aio.Channel, site: Site, service: Echo) -> None:
    watch = EchoStub(public).watch(word("a,wait"), metadata=bearer(site.token()))
    await anext(aiter(watch))
    await service.waiting.wait()
    watch.cancel()
    await asyncio.wait_for(service.cancelled.wait(), 5)


async def test_a_message_of_a_chunk_passes(public: grpc.aio.Channel, site: Site) -> None:
    chunk = "x" * CHUNK_BYTES
    assert (await EchoStub(public).say(word(chunk), metadata=bearer(site.token()))).value == chunk


async def test_a_message_that_is_too_large_is_refused_with_its_reason(public: grpc.aio.Channel, site: Site) -> None:
    stub, who, large = EchoStub(public), bearer(site.token()), "x" * (MAX_MESSAGE_BYTES + 1)
    errors = [
        await refusal(stub.say(word(large), metadata=who)),
        await refusal(stub.collect(words("a", large), metadata=who)),
        await refusal(anext(aiter(stub.watch(word(large), metadata=who)))),
        await refusal(anext(aiter(stub.chat(words(large), metadata=who)))),
    ]
    assert {(error.code(), read_error(error).reason) for error in errors} == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
    }
    assert read_error(errors[0]).metadata == {"limit_bytes": str(MAX_MESSAGE_BYTES)}


async def test_a_message_beyond_what_is_read_is_refused_by_grpc(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).say(word("x" * RECEIVED_MESSAGE_BYTES), metadata=bearer(site.token())))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "")


@pytest.mark.parametrize(
    "garbage", [b"\xff\xff\xff\xff", b"\x0a\x02\xff\xfe"]
)  # no message; a string that is not UTF-8
@pytest.mark.parametrize("rpc", ["say", "collect", "watch", "chat"])
async def test_what_is_no_message_is_refused_with_its_reason(
    public: grpc.aio.Channel, site: Site, rpc: str, garbage: bytes
) -> None:
    stub, who = EchoStub(public, writes=lambda _: garbage), bearer(site.token())
    answer: Awaitable[object]
    match rpc:
        case "say":
            answer = stub.say(word(""), metadata=who)
        case "collect":
            answer = stub.collect(words(""), metadata=who)
        case "watch":
            answer = anext(aiter(stub.watch(word(""), metadata=who)))
        case _:
            answer = anext(aiter(stub.chat(words(""), metadata=who)))
    error = await refusal(answer)
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_an_endless_error_arrives_with_its_reason(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).say(word("endless"), metadata=bearer(site.token())))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_a_caller_who_leaves_stops_the_work(public: grpc.aio.Channel, site: Site, service: Echo) -> None:
    call = EchoStub(public).say(word("wait"), metadata=bearer(site.token()))
    await service.waiting.wait()
    call.cancel()
    await asyncio.wait_for(service.cancelled.wait(), 5)


async def test_health_is_open_to_anyone(public: grpc.aio.Channel) -> None:
    answer = await health_stub(public).Check(health_pb2.HealthCheckRequest(service=SERVICE))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_can_be_watched(public: grpc.aio.Channel) -> None:
    watch = health_stub(public).Watch(health_pb2.HealthCheckRequest(service=""))
    answer = await anext(aiter(watch))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_internal_service_is_unknown_on_the_public_listener(public: grpc.aio.Channel, site: Site) -> None:
    error = await refusal(EchoStub(public).say_internally(word("a"), metadata=bearer(site.token())))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_an_internal_service_answers_on_the_internal_listener(server: RunningServer, site: Site) -> None:
    async with internal_channel(server.internal_port, site.authority.issue("analysis")) as channel:
        assert (await EchoStub(channel).say_internally(word("a"))).value == "a"


async def test_stopping_ends_open_streams_with_a_word(start: Start, site: Site) -> None:
    service = Echo()
    async with AsyncExitStack() as stack, AsyncExitStack() as running:
        server = await running.enter_async_context(start(service))
        channel = await stack.enter_async_context(_public(server, site))
        watch = aiter(EchoStub(channel).watch(word("a,wait"), metadata=bearer(site.token())))
        first = await anext(watch)
        await service.waiting.wait()
        stopping = asyncio.create_task(running.aclose())
        error = await refusal(anext(watch))
        await asyncio.wait_for(stopping, 5)
    assert first.value == "a"
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")


def _public(server: RunningServer, site: Site) -> grpc.aio.Channel:
    ca = site.authority.issue("phone").ca.read_bytes()
    return grpc.aio.secure_channel(f"127.0.0.1:{server.public_port}", grpc.ssl_channel_credentials(ca))
