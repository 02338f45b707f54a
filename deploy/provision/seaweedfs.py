"""Identities of SeaweedFS: one document, which the server reads at its start."""

from collections.abc import Mapping

from deploy.declarations import BucketRights
from deploy.provision.object_store import Identity
from deploy.provision.policies import seaweed_actions

_ALL = ["Admin"]


def identity_document(
    administrator: Identity, identities: Mapping[str, Identity], rights: Mapping[str, BucketRights]
) -> Mapping[str, object]:
    """Return the document of all who may ask the store."""
    services = [_entry(name, identity, seaweed_actions(rights[name])) for name, identity in identities.items()]
    return {"identities": [_entry("administrator", administrator, _ALL), *services]}


def _entry(name: str, identity: Identity, actions: list[str]) -> Mapping[str, object]:
    credentials = [{"accessKey": identity.access_key, "secretKey": identity.secret_key}]
    return {"name": name, "credentials": credentials, "actions": actions}
