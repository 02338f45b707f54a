"""Registration of a person's devices."""

from datetime import datetime, timedelta
from uuid import UUID

from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import seal_bytes
from services.ingest.domain.devices import MOST_DEVICES, Device, DeviceDescription, to_the_hour
from services.ingest.domain.records import DeviceRow
from services.ingest.domain.seals import device_aad
from services.ingest.errors import DeviceRevoked, TooManyDevices
from services.ingest.operations.dependencies import Dependencies
from services.ingest.ports.outcomes import Registration
from services.keyring import DataKey, NewDataKey, Purpose

RENEW_AFTER = timedelta(days=1)
"""A data key older than this is replaced, so that a device is forgotten no sooner than a media uploaded that day."""
_ATTEMPTS = 5


async def register_device(
    dependencies: Dependencies, *, subject: str, device_id: UUID, description: DeviceDescription
) -> Device:
    """Register a device, or bring it up to date: what it says takes the place of all that it said before.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
        DeviceRevoked: its owner revoked it.
        TooManyDevices: the person has as many as are kept.
    """
    for _ in range(_ATTEMPTS):
        before = await dependencies.devices.find(subject, device_id)
        if before is not None and before.revoke_time is not None:
            raise DeviceRevoked.of(device_id)
        row = await _sealed(dependencies, subject, device_id, description, before)
        result = await _put(dependencies, row, before)
        if result is Registration.STORED:
            return Device(device_id, description, row.create_time, row.last_seen_time)
        if result is Registration.TOO_MANY:
            raise TooManyDevices.of(MOST_DEVICES)
    raise DependencyUnavailable("the device changes too fast: call again")


async def _sealed(
    dependencies: Dependencies, subject: str, device_id: UUID, description: DeviceDescription, before: DeviceRow | None
) -> DeviceRow:
    """Return the row to store: sealed as before while that key opens and is young, else under a new one."""
    now = dependencies.clock.now()
    data_key = await _young_key(dependencies, before, now)
    seal_time = before.seal_time if before is not None and data_key is not None else now
    if data_key is None:
        new = NewDataKey(delete_by=now + dependencies.policy.retention)
        [data_key] = await dependencies.keyring.create(subject=subject, purpose=Purpose.CLOUD_PROCESSING, keys=[new])
    key_id = UUID(data_key.id)
    return DeviceRow(
        id=device_id,
        subject=subject,
        purpose_revision=data_key.purpose_revision,
        data_key_id=key_id,
        sealed_description=seal_bytes(data_key.key, description.to_bytes(), device_aad(key_id)),
        seal_time=seal_time,
        create_time=now if before is None else before.create_time,
        last_seen_time=to_the_hour(now),
    )


async def _young_key(dependencies: Dependencies, before: DeviceRow | None, now: datetime) -> DataKey | None:
    if before is None or now - before.seal_time >= RENEW_AFTER:
        return None
    id_ = str(before.data_key_id)
    keys = await dependencies.keyring.open(subject=before.subject, purpose=Purpose.CLOUD_PROCESSING, ids=[id_])
    return DataKey(id_, keys[id_], before.purpose_revision) if id_ in keys else None


async def _put(dependencies: Dependencies, row: DeviceRow, before: DeviceRow | None) -> Registration:
    """Store a row, and destroy the data key that is of no use then."""
    replaced = None if before is None else before.data_key_id
    try:
        result = await dependencies.devices.put(row, replaces=replaced, most=MOST_DEVICES)
    except BaseException:  # it may be stored: the store is asked before anything is destroyed
        if replaced is not None and replaced != row.data_key_id:
            dependencies.background.start(_destroy_replaced(dependencies, row, replaced))
        raise
    useless = replaced if result is Registration.STORED else row.data_key_id
    if useless is not None and row.data_key_id != replaced:
        await dependencies.background.run(_destroy(dependencies, row.subject, useless))
    return result


async def _destroy_replaced(dependencies: Dependencies, row: DeviceRow, replaced: UUID) -> None:
    found = await dependencies.devices.find(row.subject, row.id)
    if found is not None and found.data_key_id == row.data_key_id:
        await _destroy(dependencies, row.subject, replaced)


async def _destroy(dependencies: Dependencies, subject: str, key_id: UUID) -> None:
    await dependencies.keyring.destroy(subject=subject, ids=[str(key_id)])
