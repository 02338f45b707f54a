"""Messages of a person's devices."""

from uuid import UUID

from pellicule.ingest.v1 import device_pb2, device_service_pb2
from services.chassis.fields import Fields
from services.ingest.domain.devices import Device, DeviceDescription, DevicePlatform, device_name
from services.keyring.translation import timestamp

DEVICES = "devices"
LONGEST_DISPLAY_NAME = 100
LONGEST_BUILD = 100
LONGEST_PUSH_TOKEN = 4096


def registration(request: device_service_pb2.RegisterDeviceRequest) -> tuple[UUID, DeviceDescription]:
    """Return which device registers, and what it says of itself."""
    said = request.device
    with Fields() as whole:
        fields = whole.within("device")
        device_id = fields.resource(said.name, "name", DEVICES)
        description = DeviceDescription(
            display_name=fields.text(said.display_name, "display_name", most=LONGEST_DISPLAY_NAME),
            platform=fields.enum(said.platform, "platform", device_pb2.DevicePlatform.DESCRIPTOR, DevicePlatform),
            build=fields.text(said.build, "build", most=LONGEST_BUILD),
            push_token=fields.text(said.push_token, "push_token", most=LONGEST_PUSH_TOKEN),
        )
    return device_id, description


def device(each: Device) -> device_pb2.Device:
    """Return a device; its push token is never sent back."""
    return device_pb2.Device(
        name=device_name(each.id),
        display_name=each.description.display_name,
        platform=device_pb2.DevicePlatform.Value(f"DEVICE_PLATFORM_{each.description.platform}"),
        build=each.description.build,
        has_push_token=bool(each.description.push_token),
        create_time=timestamp(each.create_time),
        last_seen_time=timestamp(each.last_seen_time),
        revoke_time=None if each.revoke_time is None else timestamp(each.revoke_time),
    )
