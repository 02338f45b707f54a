"""Servers beneath a cell: started from the manifests in `platform`, and provisioned from the declaration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.declarations import SERVICES
from tests.cluster.harness.controllers import has_controller
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.names import ISSUER_OBJECT, SERVICE_IMAGE
from tests.cluster.harness.programs import Cluster, Document
from tests.cluster.harness.times import Times

FOLDER: Final = Path(__file__).parents[1] / "platform"
SERVERS: Final = ("statefulset/postgres", "statefulset/nats", "statefulset/object-store")
RESTRICTED: Final[Mapping[str, Any]] = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_PROGRAMS: Final[Mapping[str, str]] = {"start": "start-postgres", "tls_proxy.py": "tls_proxy.py"}
_SECRETS: Final = "/secrets"
_AUTHORITIES: Final = "/etc/pellicule/authorities"


def start(cell: Cluster, credentials: Credentials, times: Times) -> None:
    """Start the servers and make them allow what is declared."""
    with times.step("start PostgreSQL, NATS and the object store"):
        programs = {name: (FOLDER / file).read_text("utf-8") for name, file in _PROGRAMS.items()}
        cell.apply(*credentials.platform_secrets(programs))
        for name in ("postgres", "nats", "object-store", "policies"):
            cell.apply_file(FOLDER / f"{name}.yaml")
        cell.rolled_out(*SERVERS)
    cell.apply(*credentials.release_secrets())
    if has_controller(cell, "cert-manager"):
        cell.apply(*credentials.mesh.issuer(ISSUER_OBJECT))
    with times.step("provision them: roles, databases, buckets, users of the bus"):
        provision(cell)


def provision(cell: Cluster) -> None:
    """Run the provisioning Job to its end."""
    cell.kubectl("delete", "job/provision", "--ignore-not-found", "--wait")
    cell.apply(_job())
    try:
        cell.kubectl("wait", "--for=condition=complete", "job/provision", "--timeout=180s")
    except AssertionError as error:
        raise AssertionError(cell.kubectl("logs", "job/provision", "--tail=40")) from error


def _job() -> Document:
    owners = {"administrator": "pellicule-administrator"} | {name: f"pellicule-{name}" for name in SERVICES}
    volumes = [{"name": name, "secret": {"secretName": secret}} for name, secret in owners.items()]
    mounts = [{"name": name, "mountPath": f"{_SECRETS}/{name}", "readOnly": True} for name in owners]
    authorities = {"database.crt": "pellicule-database-ca", "servers.crt": "pellicule-object-store-ca"}
    sources = [
        {"secret": {"name": secret, "items": [{"key": "ca.crt", "path": path}]}} for path, secret in authorities.items()
    ]
    container = {
        "name": "provision",
        "image": SERVICE_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["deploy.provision"],
        "env": [
            {"name": "PELLICULE_PROVISION_CREDENTIALS_DIR", "value": _SECRETS},
            {"name": "PELLICULE_PROVISION_S3_ENDPOINT", "value": "https://object-store:9000"},
            {"name": "PELLICULE_PROVISION_S3_CA_FILE", "value": f"{_AUTHORITIES}/servers.crt"},
            {"name": "PELLICULE_PROVISION_S3_IDENTITIES", "value": "documents"},
            {"name": "PELLICULE_PROVISION_NATS_URL", "value": "tls://nats:4222"},
            {"name": "PELLICULE_PROVISION_NATS_CA_FILE", "value": f"{_AUTHORITIES}/servers.crt"},
        ],
        "securityContext": RESTRICTED,
        "volumeMounts": [*mounts, {"name": "authorities", "mountPath": _AUTHORITIES, "readOnly": True}],
    }
    pod = {
        # In the pod that is there: policies of the network know a new one only after a while.
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [*volumes, {"name": "authorities", "projected": {"sources": sources}}],
    }
    labels = {"app.kubernetes.io/part-of": "pellicule-platform"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "provision"},
        "spec": {"backoffLimit": 6, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
