"""Keyring: how a service gets keys from the retention service, and learns what it must delete.

This package's own names are plain Python (no gRPC), so that operations may use them: the purposes, the associated
data of seals, the data classes, the errors and the `Keyring` protocol. The implementations that call the retention
service are built in a composition root: `client.RetentionKeyring`, `purpose_keys.RetentionPurposeKeys`,
`erasure_client.RetentionErasures` and `purge.PurgeLoop`.

Invariants: a key is held for at most 5 seconds; it is dropped as soon as the retention service says that it was
destroyed, and all are dropped when the retention service has been silent for 3 seconds; keys are never logged.
"""

from services.keyring.associated_data import artefact_aad, metadata_aad
from services.keyring.erasures import Erasure, Erasures, ErasureState, StorePurge
from services.keyring.errors import MediaErased, PurposeNotGranted
from services.keyring.keys import DataKey, Keyring, NewDataKey
from services.keyring.orders import (
    DataKeyScope,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    PurposeScope,
    SubjectScope,
)
from services.keyring.purpose import PURPOSES, Purpose

__all__ = [
    "PURPOSES",
    "DataKey",
    "DataKeyScope",
    "Erasure",
    "ErasureState",
    "Erasures",
    "Keyring",
    "MediaErased",
    "NewDataKey",
    "PurgeCause",
    "PurgeOrder",
    "PurgeScope",
    "Purpose",
    "PurposeNotGranted",
    "PurposeScope",
    "StorePurge",
    "SubjectScope",
    "artefact_aad",
    "metadata_aad",
]
