"""The change feed of media, and the devices that follow it, through the real server."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from pellicule.ingest.v1 import device_pb2, device_service_pb2, device_service_pb2_grpc, media_pb2, media_service_pb2
from services.chassis.tokens import LEEWAY
from services.ingest.domain.quota import ROW_BYTES
from tests.integration.ingest.harness import CALL_SECONDS, Harness, Phone, refusal
from tests.unit.ingest.pictures import picture

Told: TypeAlias = media_service_pb2.WatchMediaResponse
Channels: TypeAlias = tuple[grpc.aio.Channel, grpc.aio.Channel]


class Device:
    """One of a person's devices."""

    def __init__(self, phone: Phone, channel: grpc.aio.Channel) -> None:
        self.name = f"devices/{uuid4()}"
        self.phone = phone
        self.stub = device_service_pb2_grpc.DeviceServiceStub(channel)

    async def register(self, **said: object) -> device_pb2.Device:
        device = device_pb2.Device(name=self.name, **said)  # type: ignore[arg-type]
        request = device_service_pb2.RegisterDeviceRequest(device=device)
        return (await self.stub.RegisterDevice(request, metadata=self.phone.headers, timeout=CALL_SECONDS)).device

    async def revoke(self) -> device_pb2.Device:
        request = device_service_pb2.RevokeDeviceRequest(name=self.name)
        return (await self.stub.RevokeDevice(request, metadata=self.phone.headers, timeout=CALL_SECONDS)).device

    async def listed(self) -> list[device_pb2.Device]:
        request = device_service_pb2.ListDevicesRequest()
        return list((await self.stub.ListDevices(request, metadata=self.phone.headers, timeout=CALL_SECONDS)).devices)

    async def acknowledge(self, cursor: str) -> None:
        request = media_service_pb2.AcknowledgeMediaChangesRequest(device=self.name, cursor=cursor)
        await self.phone.stub.AcknowledgeMediaChanges(request, metadata=self.phone.headers, timeout=CALL_SECONDS)


@pytest.fixture
async def device(phone: Phone, channels: Channels) -> Device:
    device = Device(phone, channels[0])
    await device.register()
    return device


def watch(phone: Phone, **asked: object) -> AsyncIterator[Told]:
    request = media_service_pb2.WatchMediaRequest(**asked)  # type: ignore[arg-type]
    return aiter(phone.stub.WatchMedia(request, metadata=phone.headers, timeout=CALL_SECONDS))


async def up_to_now(phone: Phone, **asked: object) -> list[Told]:
    return [told async for told in watch(phone, until_checkpoint=True, **asked)]


async def mark(phone: Phone, media: str, *, request_id: str = "", **marks: bool) -> media_pb2.Media:
    changed = media_pb2.Media(name=media, **marks)  # type: ignore[arg-type]
    request = media_service_pb2.UpdateMediaRequest(
        media=changed, update_mask=FieldMask(paths=marks), request_id=request_id
    )
    return (await phone.stub.UpdateMedia(request, metadata=phone.headers, timeout=CALL_SECONDS)).media


async def listed(phone: Phone, **asked: object) -> list[str]:
    request = media_service_pb2.ListMediaRequest(**asked)  # type: ignore[arg-type]
    reply = await phone.stub.ListMedia(request, metadata=phone.headers, timeout=CALL_SECONDS)
    return [media.name for media in reply.media]


def summary(told: Told) -> tuple[str | None, str]:
    kind = told.WhichOneof("change")
    if kind == "deleted":
        return kind, told.deleted
    return kind, getattr(told, kind).name if kind in ("created", "changed") else ""


async def reason_at_the_end(feed: AsyncIterator[Told]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(feed)
    return refusal(refused.value)[1].reason


class TestFeed:
    async def test_a_day_away_is_told_from_the_cursor_on(self, phone: Phone, other: Phone) -> None:
        stays, goes = (await phone.upload(picture(seed=1))).name, (await phone.upload(picture(seed=2))).name
        await other.upload(picture(seed=3))
        *snapshot, checkpoint = await up_to_now(phone)
        assert [summary(told) for told in snapshot] == [("created", stays), ("created", goes)]
        assert (checkpoint.WhichOneof("change"), checkpoint.checkpoint.snapshot) == ("checkpoint", True)
        await mark(phone, stays, favorite=True)
        await phone.delete(goes)
        new = (await phone.upload(picture(seed=4))).name
        feed = watch(phone, cursor=checkpoint.cursor)
        told = {summary(each): each for each in [await anext(feed) for _ in range(4)]}
        assert set(told) == {("changed", stays), ("deleted", goes), ("created", new), ("checkpoint", "")}
        assert told["changed", stays].changed.favorite
        assert not told["checkpoint", ""].checkpoint.snapshot

    async def test_a_cut_feed_goes_on_behind_what_was_taken_in(self, phone: Phone) -> None:
        names = [(await phone.upload(picture(seed=seed))).name for seed in range(4)]
        request = media_service_pb2.WatchMediaRequest()
        call = phone.stub.WatchMedia(request, metadata=phone.headers, timeout=CALL_SECONDS)
        taken_in = [await anext(aiter(call)) for _ in range(2)]
        call.cancel()
        *rest, _ = await up_to_now(phone, cursor=taken_in[-1].cursor)
        assert [summary(told)[1] for told in taken_in + rest] == names

    async def test_what_happens_is_told_to_who_listens(self, phone: Phone) -> None:
        feed = watch(phone)
        assert (await anext(feed)).HasField("checkpoint")
        media = (await phone.upload(picture())).name
        assert summary(await anext(feed)) == ("created", media)
        await mark(phone, media, hidden=True)
        assert summary(await anext(feed)) == ("changed", media)
        await phone.delete(media)
        assert summary(await anext(feed)) == ("deleted", media)

    async def test_a_withdrawal_tells_what_is_gone(self, phone: Phone) -> None:
        media = (await phone.upload(picture())).name
        feed = watch(phone)
        assert [(await anext(feed)).WhichOneof("change") for _ in range(2)] == ["created", "checkpoint"]
        await phone.withdraw("CLOUD_PROCESSING")
        assert summary(await anext(feed)) == ("deleted", media)
        assert await reason_at_the_end(feed) == "PURPOSE_NOT_GRANTED"

    async def test_a_withdrawal_ends_the_feed_of_who_has_nothing(self, phone: Phone) -> None:
        feed = watch(phone)
        assert (await anext(feed)).HasField("checkpoint")
        await phone.withdraw("CLOUD_PROCESSING")
        assert await reason_at_the_end(feed) == "PURPOSE_NOT_GRANTED"

    async def test_a_feed_ends_with_its_token(self, harness: Harness, phone: Phone) -> None:
        phone.headers = (("authorization", f"Bearer {harness.token(phone.person, ttl=timedelta(seconds=2) - LEEWAY)}"),)
        feed = watch(phone)
        assert (await anext(feed)).HasField("checkpoint")
        assert await reason_at_the_end(feed) == "TOKEN_EXPIRED"

    async def test_without_a_grant_there_is_no_feed(self, stranger: Phone) -> None:
        assert await reason_at_the_end(watch(stranger)) == "PURPOSE_NOT_GRANTED"

    async def test_a_cursor_that_is_none_is_refused(self, phone: Phone) -> None:
        assert await reason_at_the_end(watch(phone, cursor="x")) == "FIELD_INVALID"


class TestDevices:
    async def test_two_devices_go_on_each_from_its_own_place(
        self, phone: Phone, device: Device, channels: Channels
    ) -> None:
        tablet = Device(phone, channels[0])
        await tablet.register()
        first = (await phone.upload(picture(seed=1))).name
        *_, checkpoint = await up_to_now(phone, device=device.name)
        await device.acknowledge(checkpoint.cursor)
        second = (await phone.upload(picture(seed=2))).name
        on_phone = [summary(told)[1] for told in await up_to_now(phone, device=device.name)]
        on_tablet = [summary(told)[1] for told in await up_to_now(phone, device=tablet.name)]
        assert (on_phone, on_tablet) == ([second, ""], [first, second, ""])

    async def test_a_device_is_registered_listed_and_brought_up_to_date(self, device: Device, other: Phone) -> None:
        made = await device.register(
            display_name="Ada's phone", platform=device_pb2.DEVICE_PLATFORM_ANDROID, build="1", push_token="fcm:1"
        )
        assert (made.display_name, made.push_token, made.has_push_token) == ("Ada's phone", "", True)
        assert await device.listed() == [made]
        changed = await device.register(display_name="Ada's old phone")
        assert await device.listed() == [changed]
        assert (changed.create_time, changed.has_push_token) == (made.create_time, False)

    async def test_a_revoked_device_is_out(self, phone: Phone, device: Device) -> None:
        await phone.upload(picture())
        feed = watch(phone, device=device.name)
        cursor = [(await anext(feed)).cursor for _ in range(2)][-1]
        revoked = await device.revoke()
        assert revoked.HasField("revoke_time")
        assert await reason_at_the_end(feed) == "DEVICE_REVOKED"
        assert await reason_at_the_end(watch(phone, device=device.name)) == "DEVICE_REVOKED"
        for call in (device.acknowledge(cursor), device.register()):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refusal(refused.value)[1].reason == "DEVICE_REVOKED"
        assert await device.revoke() == revoked
        assert await device.listed() == []

    async def test_a_device_that_is_not_registered_is_not_found(
        self, phone: Phone, other: Phone, device: Device, channels: Channels
    ) -> None:
        unknown = Device(other, channels[0])
        unknown.name = device.name
        await other.upload(picture())
        cursor = (await up_to_now(other))[-1].cursor
        assert await reason_at_the_end(watch(other, device=device.name)) == "DEVICE_NOT_FOUND"
        for call in (unknown.acknowledge(cursor), unknown.revoke()):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refusal(refused.value)[1].reason == "DEVICE_NOT_FOUND"

    async def test_without_a_grant_no_device_is_kept(self, stranger: Phone, channels: Channels) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await Device(stranger, channels[0]).register()
        assert refusal(refused.value)[1].reason == "PURPOSE_NOT_GRANTED"


class TestMarks:
    async def test_a_hidden_media_is_listed_for_who_asks_for_it(self, phone: Phone) -> None:
        shown, hidden = (await phone.upload(picture(seed=1))).name, (await phone.upload(picture(seed=2))).name
        assert (await mark(phone, hidden, hidden=True)).hidden
        assert await listed(phone) == [shown]
        assert await listed(phone, filter=media_pb2.MediaFilter(hidden=True)) == [hidden]
        both = media_pb2.MediaFilter(include_hidden=True)
        assert await listed(phone, filter=both, order_by="capture_time desc") != []
        assert await listed(phone, filter=both, order_by="upload_time") == [shown, hidden]
        assert (await phone.get(hidden)).hidden

    async def test_a_request_marks_once(self, phone: Phone) -> None:
        media, request_id = (await phone.upload(picture())).name, str(uuid4())
        await mark(phone, media, favorite=True, request_id=request_id)
        await mark(phone, media, favorite=False)
        again = await mark(phone, media, favorite=True, request_id=request_id)
        assert not again.favorite
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mark(phone, media, hidden=True, request_id=request_id)
        assert refusal(refused.value)[1].reason == "REQUEST_ID_REUSED"

    async def test_another_persons_media_is_not_found(self, phone: Phone, other: Phone) -> None:
        media = (await phone.upload(picture())).name
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mark(other, media, hidden=True)
        assert refusal(refused.value)[1].reason == "MEDIA_NOT_FOUND"


class TestInformation:
    async def test_what_is_used_is_said(self, phone: Phone) -> None:
        media = await phone.upload(picture())
        request = media_service_pb2.GetUsageRequest()
        usage = await phone.stub.GetUsage(request, metadata=phone.headers, timeout=CALL_SECONDS)
        assert (usage.used_bytes, usage.media_count, usage.open_upload_count) == (
            media.size_bytes + 2 * ROW_BYTES,
            1,
            0,
        )
        assert usage.quota_bytes == 10 * 1024**3

    async def test_what_is_taken_is_said_to_who_has_granted_nothing(self, stranger: Phone) -> None:
        request = media_service_pb2.GetServerInfoRequest()
        info = await stranger.stub.GetServerInfo(request, metadata=stranger.headers, timeout=CALL_SECONDS)
        assert (info.max_size_bytes, info.window_days) == (20_000_000, 30)
