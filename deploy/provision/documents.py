"""Documents for servers that are configured by their operator: accounts of the bus, policies, identities."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from deploy.declarations import BucketRights
from deploy.provision.bus import accounts_by_reference, chart_values
from deploy.provision.credentials import ADMINISTRATOR
from deploy.provision.object_store import Identity
from deploy.provision.policies import policy
from deploy.provision.seaweedfs import identity_document

SEAWEEDFS = "seaweedfs_s3_config"
"""What its own chart calls the document of identities: the one that has secrets in it."""
_CHART_HEAD = "# Users of the bus as declared: written by `python -m deploy.provision --write`. Change nothing here.\n"


def documents(rights: Mapping[str, BucketRights]) -> Iterator[tuple[str, str]]:
    """Yield name and content of each document; none has a secret in it."""
    yield "nats-accounts.conf", _nats({"accounts": accounts_by_reference()})
    yield "nats-chart-values.yaml", _CHART_HEAD + yaml.safe_dump(chart_values(), sort_keys=False)
    for name, each in rights.items():
        yield f"s3-policy-{name}.json", json.dumps(policy(each).document(), indent=1) + "\n"


def write(folder: Path, rights: Mapping[str, BucketRights], identities: Mapping[str, Identity]) -> Sequence[Path]:
    """Write the documents; return their files.

    Args:
        folder: Where they go; made when it is not there.
        rights: By identity.
        identities: Keys, the administrator's among them: SeaweedFS reads them out of a document. None are needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, content in documents(rights):
        (folder / name).write_text(content, encoding="utf-8")
        files.append(folder / name)
    return [*files, *([_with_secrets(folder / SEAWEEDFS, rights, identities)] if identities else [])]


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
