"""Lists of a person's devices."""

from collections.abc import Mapping

from services.chassis.seal import open_bytes
from services.ingest.domain.devices import Device, DeviceDescription
from services.ingest.domain.media import PageStart
from services.ingest.domain.records import DeviceRow
from services.ingest.domain.seals import device_aad
from services.ingest.operations.dependencies import Dependencies
from services.keyring import Purpose


async def list_devices(
    dependencies: Dependencies, *, subject: str, page_size: int, after: PageStart | None
) -> tuple[list[Device], PageStart | None]:
    """Return a page of devices, the one seen last first, and where the next begins.

    Those that were revoked, and those that no longer open, are left out.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    rows = await dependencies.devices.registered(subject)
    left = [row for row in rows if after is None or _place(row) < after]
    shown = left[:page_size]
    ids = [str(row.data_key_id) for row in shown]
    keys = await dependencies.keyring.open(subject=subject, purpose=Purpose.CLOUD_PROCESSING, ids=ids)
    found = [device for row in shown if (device := _opened(row, keys)) is not None]
    return found, _place(shown[-1]) if len(left) > page_size else None


def _place(row: DeviceRow) -> PageStart:
    return PageStart(row.last_seen_time, row.id)


def _opened(row: DeviceRow, keys: Mapping[str, bytes]) -> Device | None:
    key = keys.get(str(row.data_key_id))
    if key is None or row.data_key_id is None or row.sealed_description is None:
        return None
    sealed = open_bytes(key, row.sealed_description, device_aad(row.data_key_id))
    return Device(row.id, DeviceDescription.from_bytes(sealed), row.create_time, row.last_seen_time)
