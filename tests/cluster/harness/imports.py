"""Imports that run while something happens to the cell."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.tokens import subject_pseudonym
from tests.cluster.harness import database
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import ISSUER
from tests.cluster.harness.phone import GRANTS, Phone, Row
from tests.cluster.harness.programs import Cluster

_END_SECONDS = 900


@dataclass(frozen=True)
class Import:
    """An import that was begun.

    Attributes:
        phone: Whose.
        process: It.
    """

    phone: Phone
    process: "subprocess.Popen[str]"

    def end(self) -> Mapping[str, Row]:
        """Wait until its ideas are there; return the answers by file."""
        output, errors = self.process.communicate(timeout=_END_SECONDS)
        assert self.process.returncode == 0, output[-3000:] + errors[-3000:]
        rows = [json.loads(line) for line in output.splitlines()]
        return {str(row["file"]): row for row in rows if "file" in row}


def begin(phone: Phone, folder: str) -> Import:
    """Begin to bring a folder of the phone in."""
    return Import(phone, phone.start("import", folder, "--grant", GRANTS, "--wait", "--json"))


def stored(cell: Cluster, credentials: Credentials, subject: str) -> int:
    """Return how many photos of a person are kept."""
    name = pseudonym(credentials, subject)
    return database.number(cell, "ingest", f"SELECT count(*) FROM media WHERE subject = '{name}'")


def under_way(cell: Cluster, credentials: Credentials, subject: str, *, photos: int) -> None:
    """Wait until some of a person's photos are kept."""
    until(lambda: stored(cell, credentials, subject) >= photos, f"{photos} photos of {subject} are kept")


def pseudonym(credentials: Credentials, subject: str) -> str:
    """Return what the services call a person."""
    return subject_pseudonym(bytes.fromhex(credentials.subject_key), ISSUER, subject)
