"""What the table of devices must do, whatever keeps it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from services.ingest.domain.devices import KEPT_PER_DEVICE
from services.ingest.domain.records import DeviceRow
from services.ingest.ports.outcomes import Registration
from services.keyring import DataKeyScope, PurgeScope, Purpose, PurposeScope, SubjectScope
from tests.contract.ingest.store_suite import ALICE, BOB, NOON, Stores, order

MOST = 3


def device(subject: str = ALICE, **changes: object) -> DeviceRow:
    row = DeviceRow(
        id=uuid4(),
        subject=subject,
        purpose_revision=3,
        data_key_id=uuid4(),
        sealed_description=b"sealed",
        seal_time=NOON,
        create_time=NOON,
        last_seen_time=NOON,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


async def put(stores: Stores, row: DeviceRow, replaces: UUID | None = None) -> Registration:
    return await stores.devices.put(row, replaces=replaces, most=MOST)


async def registered(stores: Stores, row: DeviceRow) -> DeviceRow:
    assert await put(stores, row) is Registration.STORED
    return row


class DeviceSuite:
    async def test_a_device_is_found_by_its_owner_alone(self, stores: Stores) -> None:
        phone = await registered(stores, device())
        assert await stores.devices.find(ALICE, phone.id) == phone
        assert await stores.devices.find(BOB, phone.id) is None
        assert await stores.devices.registered(BOB) == []

    async def test_two_persons_may_have_devices_of_one_id(self, stores: Stores) -> None:
        phone = await registered(stores, device())
        other = await registered(stores, device(BOB, id=phone.id))
        assert await stores.devices.find(ALICE, phone.id) == phone
        assert await stores.devices.find(BOB, phone.id) == other

    async def test_the_device_seen_last_comes_first(self, stores: Stores) -> None:
        first, second = await registered(stores, device()), await registered(stores, device())
        later = NOON + timedelta(hours=1)
        assert await stores.devices.see(ALICE, first.id, later) == first
        seen = replace(first, last_seen_time=later)
        assert await stores.devices.registered(ALICE) == [seen, second]
        assert await stores.devices.see(ALICE, first.id, NOON) == seen
        assert await stores.devices.find(ALICE, first.id) == seen
        assert await stores.devices.see(BOB, first.id, later) is None

    async def test_a_device_is_replaced_by_who_knows_the_one_before(self, stores: Stores) -> None:
        phone = await registered(stores, device())
        renewed = replace(phone, data_key_id=uuid4(), sealed_description=b"sealed anew")
        assert await put(stores, renewed) is Registration.STALE
        assert await put(stores, renewed, uuid4()) is Registration.STALE
        assert await put(stores, renewed, phone.data_key_id) is Registration.STORED
        assert await stores.devices.find(ALICE, phone.id) == renewed

    async def test_devices_are_never_too_many_but_for_those_revoked(self, stores: Stores) -> None:
        phones = [await registered(stores, device()) for _ in range(MOST)]
        assert await put(stores, device()) is Registration.TOO_MANY
        again = replace(phones[0], sealed_description=b"sealed anew")
        assert await put(stores, again, phones[0].data_key_id) is Registration.STORED
        await stores.devices.revoke(ALICE, phones[1].id, NOON)
        assert await put(stores, device()) is Registration.STORED
        assert await put(stores, device(BOB)) is Registration.STORED

    async def test_those_revoked_are_not_without_end(self, stores: Stores) -> None:
        for _ in range(KEPT_PER_DEVICE * MOST):
            phone = await registered(stores, device())
            await stores.devices.revoke(ALICE, phone.id, NOON)
        assert await put(stores, device()) is Registration.TOO_MANY
        assert await put(stores, device(BOB)) is Registration.STORED

    async def test_nothing_registers_behind_the_fence(self, stores: Stores) -> None:
        phone = await registered(stores, device(purpose_revision=5))
        await stores.purge.raise_fences(ALICE, [Purpose.CLOUD_PROCESSING], 5)
        assert await put(stores, device(purpose_revision=5)) is Registration.STALE
        assert await put(stores, phone, phone.data_key_id) is Registration.STALE

    async def test_a_revoked_device_is_a_tombstone(self, stores: Stores) -> None:
        phone = await registered(stores, device())
        assert await stores.devices.revoke(BOB, phone.id, NOON) is None
        assert await stores.devices.revoke(ALICE, phone.id, NOON) == phone
        tombstone = replace(phone, data_key_id=None, sealed_description=None, revoke_time=NOON)
        assert await stores.devices.find(ALICE, phone.id) == tombstone
        assert await stores.devices.revoke(ALICE, phone.id, NOON + timedelta(days=1)) == tombstone
        assert await stores.devices.see(ALICE, phone.id, NOON + timedelta(days=1)) == tombstone
        assert await stores.devices.find(ALICE, phone.id) == tombstone
        assert await stores.devices.registered(ALICE) == []
        assert await put(stores, phone, phone.data_key_id) is Registration.STALE

    async def test_a_purge_takes_the_devices_it_covers(self, stores: Stores) -> None:
        phone, tablet = await registered(stores, device()), await registered(stores, device())
        newer = await registered(stores, device(purpose_revision=6))
        other = await registered(stores, device(BOB))
        assert await purged(stores, DataKeyScope((str(phone.data_key_id),))) == 1
        assert await purged(stores, PurposeScope("LOCATION", 5)) == 0
        assert await stores.devices.find(ALICE, tablet.id) == tablet
        assert await purged(stores, PurposeScope("CLOUD_PROCESSING", 5)) == 1
        assert await stores.devices.registered(ALICE) == [newer]
        assert await purged(stores, SubjectScope(6, NOON)) == 1
        assert await stores.devices.find(BOB, other.id) == other

    async def test_the_tombstone_of_a_device_goes_with_the_account(self, stores: Stores) -> None:
        phone = await registered(stores, device())
        await stores.devices.revoke(ALICE, phone.id, NOON)
        assert await purged(stores, PurposeScope("CLOUD_PROCESSING", 5)) == 0
        assert await purged(stores, SubjectScope(6, NOON)) == 0
        assert await stores.devices.find(ALICE, phone.id) is not None
        assert await purged(stores, SubjectScope(6, NOON, account=True)) == 1
        assert await stores.devices.find(ALICE, phone.id) is None


async def purged(stores: Stores, scope: PurgeScope) -> int:
    counts, _ = await stores.purge.delete(order(scope))
    return counts["ingest.table.device"]
