from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from pellicule.ingest.v1 import device_pb2, device_service_pb2
from services.chassis.errors import FieldInvalid
from services.ingest.domain.devices import MOST_DEVICES, Device, DeviceDescription, DevicePlatform
from services.ingest.domain.media import PageStart
from services.ingest.errors import DeviceNotFound, DeviceRevoked, TooManyDevices
from services.ingest.operations.find_devices import list_devices
from services.ingest.operations.register_device import register_device
from services.ingest.operations.revoke_device import revoke_device
from services.ingest.translation import devices
from services.keyring import Purpose, PurposeNotGranted
from tests.unit.ingest.harness import ALICE, BOB, Harness

PHONE = DeviceDescription("Ada's phone", DevicePlatform.IOS, "1.2.3", push_token="apns:0123")


async def register(
    harness: Harness,
    device_id: UUID | None = None,
    description: DeviceDescription = PHONE,
    subject: str = ALICE,
) -> Device:
    return await register_device(
        harness.dependencies, subject=subject, device_id=device_id or uuid4(), description=description
    )


async def listed(harness: Harness, subject: str = ALICE, size: int = 100) -> list[Device]:
    found: list[Device] = []
    after: PageStart | None = None
    while True:
        page, after = await list_devices(harness.dependencies, subject=subject, page_size=size, after=after)
        found += page
        if after is None:
            return found


class TestRegistration:
    async def test_a_device_is_kept_sealed_and_shown_to_its_owner(self, harness: Harness) -> None:
        device = await register(harness)
        assert device.description == PHONE
        assert await listed(harness) == [device]
        assert await listed(harness, BOB) == []
        [row] = harness.tables.devices.values()
        assert row.sealed_description is not None
        for secret in (b"Ada", b"IOS", b"1.2.3", b"apns"):
            assert secret not in row.sealed_description

    async def test_what_it_says_takes_the_place_of_what_it_said(self, harness: Harness) -> None:
        first = await register(harness)
        await harness.clock.advance(timedelta(hours=3))
        changed = await register(harness, first.id, DeviceDescription("Ada's old phone"))
        assert changed.create_time == first.create_time
        assert changed.last_seen_time == first.last_seen_time + timedelta(hours=3)
        assert await listed(harness) == [changed]
        assert changed.description.push_token == ""

    async def test_its_key_is_renewed_after_a_day_and_the_one_before_destroyed(self, harness: Harness) -> None:
        device = await register(harness)
        [first] = harness.keyring.alive
        await register(harness, device.id)
        assert harness.keyring.alive == {first}
        await harness.clock.advance(timedelta(days=1))
        await register(harness, device.id)
        await harness.dependencies.background.finish()
        [second] = harness.keyring.alive
        assert second != first

    async def test_a_device_whose_key_is_gone_registers_anew(self, harness: Harness) -> None:
        device = await register(harness)
        harness.keyring.destroy_purpose(ALICE, Purpose.CLOUD_PROCESSING)
        harness.keyring.grant(ALICE, Purpose.CLOUD_PROCESSING)
        assert await listed(harness) == []
        await register(harness, device.id)
        assert [each.id for each in await listed(harness)] == [device.id]

    async def test_without_a_grant_none_registers(self, harness: Harness) -> None:
        harness.keyring.destroy_purpose(ALICE, Purpose.CLOUD_PROCESSING)
        with pytest.raises(PurposeNotGranted):
            await register(harness)
        with pytest.raises(PurposeNotGranted):
            await listed(harness)

    async def test_a_withdrawal_takes_the_devices(self, harness: Harness) -> None:
        await register(harness)
        await harness.withdraw(Purpose.CLOUD_PROCESSING)
        assert harness.tables.devices == {}

    async def test_devices_are_at_most_a_hundred(self, harness: Harness) -> None:
        kept = [await register(harness) for _ in range(MOST_DEVICES)]
        with pytest.raises(TooManyDevices):
            await register(harness)
        await harness.dependencies.background.finish()
        assert len(harness.keyring.alive) == MOST_DEVICES
        await register(harness, kept[0].id)
        await revoke_device(harness.dependencies, subject=ALICE, device_id=kept[1].id)
        await register(harness)


class TestLists:
    async def test_the_one_seen_last_comes_first_page_by_page(self, harness: Harness) -> None:
        registered = []
        for _ in range(5):
            await harness.clock.advance(timedelta(hours=1))
            registered.append(await register(harness))
        assert await listed(harness, size=2) == registered[::-1]
        assert await listed(harness) == registered[::-1]


class TestRevocation:
    async def test_what_it_said_is_destroyed(self, harness: Harness) -> None:
        device = await register(harness)
        revoked = await revoke_device(harness.dependencies, subject=ALICE, device_id=device.id)
        assert (revoked.description, revoked.revoke_time) == (DeviceDescription(), harness.now)
        assert harness.keyring.alive == set()
        assert await listed(harness) == []

    async def test_it_cannot_register_again(self, harness: Harness) -> None:
        device = await register(harness)
        await revoke_device(harness.dependencies, subject=ALICE, device_id=device.id)
        with pytest.raises(DeviceRevoked):
            await register(harness, device.id)
        await harness.withdraw(Purpose.CLOUD_PROCESSING)
        harness.keyring.grant(ALICE, Purpose.CLOUD_PROCESSING)
        with pytest.raises(DeviceRevoked):
            await register(harness, device.id)

    async def test_revoking_twice_is_no_error(self, harness: Harness) -> None:
        device = await register(harness)
        first = await revoke_device(harness.dependencies, subject=ALICE, device_id=device.id)
        await harness.clock.advance(timedelta(days=1))
        assert await revoke_device(harness.dependencies, subject=ALICE, device_id=device.id) == first

    async def test_another_persons_device_does_not_exist(self, harness: Harness) -> None:
        device = await register(harness)
        with pytest.raises(DeviceNotFound):
            await revoke_device(harness.dependencies, subject=BOB, device_id=device.id)
        assert await listed(harness) == [device]


class TestMessages:
    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        said = device_pb2.Device(name="42", display_name="x" * 101, build="x" * 101, push_token="x" * 4097)
        with pytest.raises(FieldInvalid) as refused:
            devices.registration(device_service_pb2.RegisterDeviceRequest(device=said))
        fields = [violation.field for violation in refused.value.violations]
        assert fields == ["device.name", "device.display_name", "device.build", "device.push_token"]

    async def test_a_push_token_is_never_sent_back(self, harness: Harness) -> None:
        shown = devices.device(await register(harness))
        assert (shown.push_token, shown.has_push_token) == ("", True)
        assert (shown.display_name, shown.platform) == ("Ada's phone", device_pb2.DEVICE_PLATFORM_IOS)
