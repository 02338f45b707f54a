"""Documents for servers that are configured by their operator: accounts of the bus, policies, identities."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from deploy.declarations import BucketRights
from deploy.provision.bus import accounts_by_reference, chart_values
from deploy.provision.credentials import ADMINISTRATOR, Credentials
from deploy.provision.object_store import Identity
from deploy.provision.policies import policy
from deploy.provision.seaweedfs import identity_document
from deploy.provision.stores import Store

SEAWEEDFS = "seaweedfs_s3_config"
"""What SeaweedFS's chart calls its document of identities, which has their keys in it."""
_CHART_HEAD = "# Users of the bus as declared: written by `python -m deploy.provision --write`. Change nothing here.\n"


def documents(stores: Sequence[Store]) -> Iterator[tuple[str, str]]:
    """Yield name and content of each document; none has a secret in it."""
    yield "nats-accounts.conf", _nats({"accounts": accounts_by_reference()})
    yield "nats-chart-values.yaml", _CHART_HEAD + yaml.safe_dump(chart_values(), sort_keys=False)
    for store in stores:
        for name, rights in store.rights.items():
            yield f"{store.name}-policy-{name}.json", json.dumps(policy(rights).document(), indent=1) + "\n"


def write(folder: Path, stores: Sequence[Store], credentials: Credentials) -> Iterator[tuple[Path, bool]]:
    """Write the documents; yield each file, and whether it has secrets in it.

    Args:
        folder: Where they go; made when it is not there.
        stores: The object stores. SeaweedFS reads its identities out of a document, keys included.
        credentials: Where the keys are; without the administrator's that document is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in documents(stores):
        (folder / name).write_text(content, encoding="utf-8")
        yield folder / name, False
    for store in stores:
        if keys := store.identities(credentials):
            yield _with_secrets(folder / f"{store.name}-{SEAWEEDFS}", store.rights, keys), True


def _with_secrets(file: Path, rights: Mapping[str, BucketRights], identities: Mapping[str, Identity]) -> Path:
    services = {name: identity for name, identity in identities.items() if name != ADMINISTRATOR}
    file.touch(mode=0o600)
    document = identity_document(identities[ADMINISTRATOR], services, rights)
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return file


def _nats(document: Mapping[str, object]) -> str:
    """Return a configuration of the bus's server: JSON, with references to variables out of their quotes."""
    lines = json.dumps(document, indent=1).splitlines()
    return "\n".join(_unquoted(line) if '"password": "$' in line else line for line in lines) + "\n"


def _unquoted(line: str) -> str:
    head, _, value = line.partition('"password": ')
    return f'{head}"password": {value.replace(chr(34), "")}'
