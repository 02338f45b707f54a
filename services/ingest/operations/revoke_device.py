"""Revocation of a device."""

from uuid import UUID

from services.ingest.domain.devices import Device, DeviceDescription
from services.ingest.domain.records import DeviceRow
from services.ingest.errors import DeviceNotFound
from services.ingest.operations.dependencies import Dependencies


async def revoke_device(dependencies: Dependencies, *, subject: str, device_id: UUID) -> Device:
    """Destroy what a device said of itself, end its open feeds, and return it; once more is the same as once.

    Raises:
        DeviceNotFound: the person has none of this name.
    """
    now = dependencies.clock.now()
    known = await dependencies.devices.find(subject, device_id)
    # The key goes first: a crash behind it leaves a device that cannot be read, and is revoked by the next call.
    await _destroy_key(dependencies, known)
    before = await dependencies.devices.revoke(subject, device_id, now)
    if before is None:
        raise DeviceNotFound.of(device_id)
    await _destroy_key(dependencies, before)
    return Device(device_id, DeviceDescription(), before.create_time, before.last_seen_time, before.revoke_time or now)


async def _destroy_key(dependencies: Dependencies, row: DeviceRow | None) -> None:
    if row is not None and row.data_key_id is not None:
        await dependencies.keyring.destroy(subject=row.subject, ids=[str(row.data_key_id)])
