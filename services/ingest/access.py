"""Access table of the ingest service: a person's pictures are for that person alone."""

from services.chassis.access import AccessTable, Caller

_SERVICE = "/pellicule.ingest.v1.MediaService"
_DEVICES = "/pellicule.ingest.v1.DeviceService"
_OWNER = frozenset({Caller.PERSON})

ACCESS: AccessTable = {
    f"{_SERVICE}/PlanUploads": _OWNER,
    f"{_SERVICE}/StartUpload": _OWNER,
    f"{_SERVICE}/UploadMedia": _OWNER,
    f"{_SERVICE}/BatchUploadMedia": _OWNER,
    f"{_SERVICE}/GetUpload": _OWNER,
    f"{_SERVICE}/ListUploads": _OWNER,
    f"{_SERVICE}/CancelUpload": _OWNER,
    f"{_SERVICE}/ListMedia": _OWNER,
    f"{_SERVICE}/GetMedia": _OWNER,
    f"{_SERVICE}/UpdateMedia": _OWNER,
    f"{_SERVICE}/ReadMedia": _OWNER,
    f"{_SERVICE}/DeleteMedia": _OWNER,
    f"{_SERVICE}/BatchDeleteMedia": _OWNER,
    f"{_SERVICE}/WatchMedia": _OWNER,
    f"{_SERVICE}/AcknowledgeMediaChanges": _OWNER,
    f"{_SERVICE}/GetUsage": _OWNER,
    f"{_SERVICE}/GetServerInfo": _OWNER,
    f"{_DEVICES}/RegisterDevice": _OWNER,
    f"{_DEVICES}/ListDevices": _OWNER,
    f"{_DEVICES}/RevokeDevice": _OWNER,
}
