"""Servicer of `DeviceService`: parse, do, render."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellicule.ingest.v1 import device_service_pb2, device_service_pb2_grpc
from services.chassis.fields import Fields
from services.chassis.paging import PageQuery
from services.chassis.principal import current_subject
from services.ingest.domain.devices import MOST_DEVICES
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_devices import list_devices
from services.ingest.operations.register_device import register_device
from services.ingest.operations.revoke_device import revoke_device
from services.ingest.translation import devices, requests

if TYPE_CHECKING:
    from services.chassis.calls import Context


@dataclass(frozen=True)
class DeviceServicer(device_service_pb2_grpc.DeviceServiceServicer):
    """Serves `DeviceService`."""

    dependencies: Dependencies

    async def RegisterDevice(
        self, request: device_service_pb2.RegisterDeviceRequest, context: Context
    ) -> device_service_pb2.RegisterDeviceResponse:
        """Register a device, or bring it up to date."""
        device_id, description = devices.registration(request)
        device = await register_device(
            self.dependencies, subject=current_subject(), device_id=device_id, description=description
        )
        return device_service_pb2.RegisterDeviceResponse(device=devices.device(device))

    async def ListDevices(
        self, request: device_service_pb2.ListDevicesRequest, context: Context
    ) -> device_service_pb2.ListDevicesResponse:
        """List the devices."""
        page, after = requests.page(request, PageQuery("ListDevices", current_subject()), most=MOST_DEVICES)
        found, following = await list_devices(
            self.dependencies, subject=current_subject(), page_size=page.size, after=after
        )
        return device_service_pb2.ListDevicesResponse(
            devices=map(devices.device, found), next_page_token=requests.next_token(page, following)
        )

    async def RevokeDevice(
        self, request: device_service_pb2.RevokeDeviceRequest, context: Context
    ) -> device_service_pb2.RevokeDeviceResponse:
        """Revoke a device."""
        with Fields() as fields:
            device_id = fields.resource(request.name, "name", devices.DEVICES)
        device = await revoke_device(self.dependencies, subject=current_subject(), device_id=device_id)
        return device_service_pb2.RevokeDeviceResponse(device=devices.device(device))
