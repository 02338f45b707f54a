"""Phone: a pod outside the cell, with the command line and a roll, that calls the services by their addresses."""

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.declarations import SERVICES
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.names import NAMESPACE, RELEASE, SERVICE_IMAGE
from tests.cluster.harness.platform import RESTRICTED
from tests.cluster.harness.programs import Cluster, Document

Row = Mapping[str, Any]
GRANTS: Final = "CLOUD_PROCESSING,LOCATION,FACE_GROUPING"
PUBLIC: Final[Mapping[str, str]] = {
    service: f"{RELEASE}-{service}.{NAMESPACE}.svc.cluster.local:443" for service in SERVICES
}
"""The services' own addresses inside the cluster."""
_AUTHORITY: Final = "/tmp/authority.pem"


@dataclass(frozen=True)
class Phone:
    """A person at a pod.

    Attributes:
        place: The namespace of the pod.
        pod: Its name.
        subject: The person.
    """

    place: Cluster
    pod: str
    subject: str

    def run(self, *arguments: str, seconds: float = 600) -> str:
        """Run a command of the command line to its end."""
        return self.place.run_in(self.pod, *self._command(*arguments), seconds=seconds)

    def rows(self, *arguments: str, seconds: float = 600) -> Sequence[Row]:
        """Run a command that must succeed; return its lines."""
        return [json.loads(line) for line in self.run(*arguments, "--json", seconds=seconds).splitlines()]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command and do not wait for it."""
        command = ["kubectl", f"--namespace={self.place.namespace}", "exec", self.pod, "--", *self._command(*arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def bring_in(self, folder: str, *, wait: bool = True) -> Mapping[str, Row]:
        """Import a folder of the pod, and wait for ideas unless told not to; return the answers by file."""
        waiting = ["--wait"] if wait else []
        rows = self.rows("import", folder, "--grant", GRANTS, *waiting)
        return {str(row["file"]): row for row in rows}

    def carry(self, folder: Path, to: str) -> None:
        """Copy a folder into the pod, under a name in /tmp."""
        self.place.run_in(self.pod, "tar", "-x", "-C", "/tmp", "--no-same-owner", given=_packed(folder, to))

    def _command(self, *arguments: str) -> Sequence[str]:
        session = f"PELLICULE_SESSION=/tmp/{self.subject}.json"
        return ["env", session, "/opt/pellicule/bin/python", "-m", "services.cli", *arguments]


def pod_of_phone(name: str, image: str = SERVICE_IMAGE) -> Document:
    """Return a pod that waits to be told what to run."""
    container = {
        "name": "phone",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def phone(place: Cluster, pod: str, credentials: Credentials, subject: str, hosts: Mapping[str, str] = PUBLIC) -> Phone:
    """Give a person the pod, with a session there."""
    session = {"addresses": dict(hosts), "authority": _AUTHORITY, "token": credentials.token(subject)}
    _write(place, pod, _AUTHORITY, credentials.mesh.certificate)
    _write(place, pod, f"/tmp/{subject}.json", json.dumps(session).encode())
    return Phone(place, pod, subject)


def started(place: Cluster, name: str) -> str:
    """Start a pod for phones; return its name."""
    place.apply(pod_of_phone(name))
    place.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=120s")
    return name


def _write(place: Cluster, pod: str, path: str, content: bytes) -> None:
    place.run_in(pod, "sh", "-c", f"cat >{path}", given=content)


def _packed(folder: Path, name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, name)
    return packed.getvalue()
