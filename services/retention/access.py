"""Access table of the retention service."""

from services.chassis.access import AccessTable, Caller, Grant, Polled, ServiceNamed

_SERVICE: frozenset[Grant] = frozenset({Caller.SERVICE})
_PERSON: frozenset[Grant] = frozenset({Caller.PERSON})
# A person deletes a media at ingest, which acts for them here.
_PERSON_OR_INGEST: frozenset[Grant] = frozenset({Caller.PERSON, ServiceNamed("ingest")})
_ANYONE: frozenset[Grant] = frozenset({Caller.ANYONE})
_CONSENT: frozenset[Grant] = frozenset({ServiceNamed("consent")})
_KEYS = "/pellicule.internal.retention.v1.KeyService"
_PURGE = "/pellicule.internal.retention.v1.PurgeService"
_RETENTION = "/pellicule.retention.v1.RetentionService"
_ACCOUNT = "/pellicule.retention.v1.AccountService"

ACCESS: AccessTable = {
    f"{_KEYS}/GrantPurposeKey": _CONSENT,
    f"{_KEYS}/DestroyPurposeKeys": _CONSENT,
    f"{_KEYS}/GetPurposeKey": _SERVICE,
    f"{_KEYS}/FindKeptMedia": _SERVICE,
    f"{_KEYS}/CreateDataKeys": _SERVICE,
    f"{_KEYS}/OpenDataKeys": _SERVICE,
    f"{_KEYS}/DestroyDataKeys": _SERVICE,
    f"{_KEYS}/WatchRevocations": _SERVICE,
    f"{_KEYS}/HoldKeys": _SERVICE,
    f"{_PURGE}/ListPurgeOrders": Polled(_SERVICE),
    f"{_PURGE}/CompletePurgeOrder": _SERVICE,
    f"{_RETENTION}/RequestErasure": _PERSON_OR_INGEST,
    f"{_RETENTION}/GetErasure": _PERSON,
    f"{_RETENTION}/ListErasures": _PERSON,
    f"{_RETENTION}/ShortenDeadline": _PERSON_OR_INGEST,
    f"{_RETENTION}/GetDataMap": _ANYONE,
    f"{_ACCOUNT}/RequestAccountDeletion": _PERSON,
    f"{_ACCOUNT}/GetAccountDeletion": _PERSON,
    f"{_ACCOUNT}/CancelAccountDeletion": _PERSON,
}
