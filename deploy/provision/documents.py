"""Documents for servers that are configured by their operator: accounts of the bus, policies, identities."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.declarations import BucketRights
from deploy.provision.bus import accounts_by_reference
from deploy.provision.policies import policy


def documents(rights: Mapping[str, BucketRights]) -> Iterator[tuple[str, str]]:
    """Yield name and content of each document; none has a secret in it."""
    yield "nats-accounts.conf", _nats({"accounts": accounts_by_reference()})
    for name, each in rights.items():
        yield f"s3-policy-{name}.json", json.dumps(policy(each).document(), indent=1) + "\n"


def write(folder: Path, rights: Mapping[str, BucketRights]) -> Sequence[Path]:
    """Write the documents; return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, content in documents(rights):
        (folder / name).write_text(content, encoding="utf-8")
        files.append(folder / name)
    return files


def _nats(document: Mapping[str, object]) -> str:
    """Return a configuration of the bus's server: JSON, with references to variables out of their quotes."""
    lines = json.dumps(document, indent=1).splitlines()
    return "\n".join(_unquoted(line) if '"password": "$' in line else line for line in lines) + "\n"


def _unquoted(line: str) -> str:
    head, _, value = line.partition('"password": ')
    return f'{head}"password": {value.replace(chr(34), "")}'
