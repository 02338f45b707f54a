"""Pods: commands run in a container of a pod, as `kubectl exec` does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deploy.ops.checks.cluster import Cluster, Document, KubernetesCluster, ReadRefused

_STATUS_CHANNEL = 3
"""Where the API says what came of a command, once it has ended."""
_ROLES = ("upkeep", "server", "worker")
"""Where is asked, by preference: no caller waits for upkeep."""


@dataclass(frozen=True)
class Container:
    """A container of a pod."""

    namespace: str
    pod: str
    name: str


@dataclass(frozen=True)
class Ran:
    """What came of a command.

    Attributes:
        status: Its exit status.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    status: int
    output: str
    errors: str


class CommandLost(Exception):
    """It is not known what came of a command: the pod has gone, or it took too long."""


class Pods(Protocol):
    """Where commands are run."""

    def run(self, container: Container, command: Sequence[str], seconds: float) -> Ran:
        """Run a command and wait for its end.

        Raises:
            ReadRefused: this account may not run commands in pods.
            CommandLost: its end was not seen.
        """


class KubernetesPods:
    """Implements `Pods` by Kubernetes' own client; it changes the client that it is given, which is its own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, container: Container, command: Sequence[str], seconds: float) -> Ran:
        """Run a command and wait for its end."""
        from kubernetes.client import ApiException

        try:
            running = self._start(container, command)
            running.run_forever(timeout=seconds)
        except ApiException as error:
            raise _failure(error) from error
        if running.is_open():
            running.close()
            raise CommandLost(f"{command[-1]} in {container.pod} did not end within {seconds:.0f} s")
        return Ran(exit_status(running.read_channel(_STATUS_CHANNEL)), running.read_stdout(), running.read_stderr())

    def _start(self, container: Container, command: Sequence[str]) -> Any:
        from kubernetes import client
        from kubernetes.stream import stream

        return stream(
            client.CoreV1Api(self._client).connect_get_namespaced_pod_exec,
            container.pod,
            container.namespace,
            container=container.name,
            command=list(command),
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _preload_content=False,
        )


def configured(context: str | None) -> tuple[Cluster, Pods]:
    """Return the cluster of the kubeconfig, and its pods.

    Raises:
        ClusterUnreachable: there is none.
    """
    cluster = KubernetesCluster.configured(context)
    from kubernetes import client

    return cluster, KubernetesPods(client.ApiClient())


def container_of(cluster: Cluster, namespace: str, labels: str, service: str) -> Container | None:
    """Return a container of a service that runs and can be asked; None if there is none."""
    found = cluster.items(f"/api/v1/namespaces/{namespace}/pods", f"{labels},app.kubernetes.io/name={service}")
    running = sorted((each for each in found if _runs(each, service)), key=_preference)
    return Container(namespace, running[0]["metadata"]["name"], service) if running else None


def exit_status(said: str) -> int:
    """Return the exit status out of what the API says.

    Raises:
        CommandLost: the command was not run.
    """
    told = json.loads(said or "{}")
    if told.get("status") == "Success":
        return 0
    causes = told.get("details", {}).get("causes", [])
    exits = [each["message"] for each in causes if each.get("reason") == "ExitCode"]
    if not exits:
        raise CommandLost(told.get("message", "the connection broke before the command had ended"))
    return int(exits[0])


def _failure(error: Any) -> Exception:
    # What the API says to a refused handshake comes as text alone.
    refused = error.status in (401, 403) or any(each in str(error.reason) for each in ("403", "401", "Forbidden"))
    return ReadRefused("pods/exec") if refused else CommandLost(" ".join(str(error.reason).split()))


def _runs(pod: Document, service: str) -> bool:
    containers = pod.get("status", {}).get("containerStatuses", [])
    leaves = "deletionTimestamp" in pod["metadata"]
    return not leaves and any(each["name"] == service and "running" in each.get("state", {}) for each in containers)


def _preference(pod: Document) -> int:
    role = pod["metadata"].get("labels", {}).get("app.kubernetes.io/component")
    return _ROLES.index(role) if role in _ROLES else len(_ROLES)
