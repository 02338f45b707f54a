"""Imports that run while something happens to the cell."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from services.chassis.tokens import subject_pseudonym
from tests.cluster.harness import database
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import ISSUER
from tests.cluster.harness.phone import GRANTS, Phone, Row, phone
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


def throughout(
    cell: Cluster, credentials: Credentials, pod: Phone, subject: str, photos: str, happening: Callable[[], object]
) -> Sequence[Row]:
    """Import photos as one person after the other for as long as something happens to the cell; return all answers."""
    answers: list[Row] = []
    with ThreadPoolExecutor(1) as aside:
        until_its_end = aside.submit(happening)
        # One who begins after it as well: what is there then takes photos in.
        for number in count():
            over = until_its_end.done()
            person = phone(pod.place, pod.pod, credentials, f"{subject}-{number}")
            answers += understood(cell, credentials, begin(person, photos)).values()
            if over:
                break
        until_its_end.result()
    return answers


def understood(cell: Cluster, credentials: Credentials, running: Import) -> Mapping[str, Row]:
    """Wait for an import's end, every photo of which is kept and understood; return the answers by file."""
    answers = running.end()
    assert stored(cell, credentials, running.phone.subject) == len(answers)
    findings = running.phone.rows("findings")
    assert {row["state"] for row in findings} == {"done"}
    assert len(findings) == len(answers)
    return answers


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
