"""Service's RPCs: of media, and of devices."""

from services.ingest.servicer.devices import DeviceServicer
from services.ingest.servicer.media import MediaServicer

__all__ = ["DeviceServicer", "MediaServicer"]
