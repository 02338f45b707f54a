"""Scope: the release that checks are about."""

from dataclasses import dataclass

_ALL = "app.kubernetes.io/part-of=pellicule"


@dataclass(frozen=True)
class Scope:
    """The objects of Pellicule in a namespace.

    Attributes:
        namespace: Where they are.
        release: Of which Helm release; empty for all of them, services and models.
    """

    namespace: str = "pellicule"
    release: str = ""

    @property
    def labels(self) -> str:
        """The selector of its objects."""
        return f"{_ALL},app.kubernetes.io/instance={self.release}" if self.release else _ALL

    @property
    def kubectl(self) -> str:
        """How its pods are listed by hand."""
        return f"kubectl get pods --namespace {self.namespace} --selector {self.labels}"

    def path(self, group: str, kind: str) -> str:
        """Return the path of the list of a kind, such as `apps/v1` and `deployments`."""
        root = f"/api/{group}" if "/" not in group else f"/apis/{group}"
        return f"{root}/namespaces/{self.namespace}/{kind}"
