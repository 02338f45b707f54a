"""Pieces of the platform: the kinds, controllers and objects by which one knows that each is there.

The versions that are pinned stand in `deploy/platform/versions.yaml`; here are those that the charts' objects speak.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_NONE: Mapping[str, str] = {}
_NAME = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Piece:
    """A piece of the platform.

    Attributes:
        kinds: Its CustomResourceDefinitions, and the version that is spoken.
        controllers: Labels of its Deployments.
        ready: Lists of which one object at least has a condition.
    """

    kinds: Mapping[str, str]
    controllers: tuple[str, ...] = ()
    ready: Mapping[str, str] = field(default_factory=lambda: _NONE)


PIECES: Mapping[str, Piece] = {
    "cert-manager": Piece(
        kinds={"certificates.cert-manager.io": "v1", "issuers.cert-manager.io": "v1"},
        controllers=(f"{_NAME}=cert-manager", f"{_NAME}=webhook", f"{_NAME}=cainjector"),
        ready={"/apis/cert-manager.io/v1/clusterissuers": "Ready"},
    ),
    "keda": Piece(
        kinds={"scaledobjects.keda.sh": "v1alpha1", "triggerauthentications.keda.sh": "v1alpha1"},
        controllers=(f"{_NAME}=keda-operator", f"{_NAME}=keda-operator-metrics-apiserver"),
    ),
    "cloudnative-pg": Piece(
        kinds={"clusters.postgresql.cnpg.io": "v1", "scheduledbackups.postgresql.cnpg.io": "v1"},
        controllers=(f"{_NAME}=cloudnative-pg",),
        ready={"/apis/postgresql.cnpg.io/v1/clusters": "Ready"},
    ),
    "edge": Piece(
        kinds={
            "gateways.gateway.networking.k8s.io": "v1",
            "grpcroutes.gateway.networking.k8s.io": "v1",
            "backendtlspolicies.gateway.networking.k8s.io": "v1",
        },
        ready={"/apis/gateway.networking.k8s.io/v1/gatewayclasses": "Accepted"},
    ),
    "knative": Piece(
        kinds={"services.serving.knative.dev": "v1"},
        controllers=(f"{_NAME}=knative-serving",),
    ),
    "kserve": Piece(
        kinds={
            "inferenceservices.serving.kserve.io": "v1beta1",
            "servingruntimes.serving.kserve.io": "v1alpha1",
        },
        controllers=("control-plane=kserve-controller-manager",),
    ),
}
