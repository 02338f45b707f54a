"""The Kubernetes Job that builds engines on a GPU node, with the serving image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from inference.engines.targets import Target

_CACHE: Final = "/var/cache/pellicule"
_USER: Final = 65532
_DEADLINE_SECONDS: Final = 4 * 3600
_KEPT_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class JobSettings:
    """What a cluster has to say.

    Attributes:
        image: the serving image with Pellicule in it; the plan's key holds its Triton tag.
        bucket: where the engines go.
        endpoint: http(s)://host:port of the S3 server.
        secret: the Secret with `access-key` and `secret-key`.
        selector: labels of the nodes to build on, such as the GPU product.
    """

    image: str
    bucket: str
    endpoint: str
    secret: str
    selector: Mapping[str, str] = field(default_factory=dict)


def job(models: Sequence[str], target: Target, settings: JobSettings) -> dict[str, object]:
    """Describes the Job: builds the models, the engines, and publishes those; a second run does nothing."""
    labels = {"app.kubernetes.io/name": "pellicule", "app.kubernetes.io/component": "engines"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"pellicule-engines-sm{target.sm}", "labels": labels},
        "spec": {
            "backoffLimit": 1,
            "activeDeadlineSeconds": _DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {"metadata": {"labels": dict(labels)}, "spec": _pod(models, target, settings)},
        },
    }


def _pod(models: Sequence[str], target: Target, settings: JobSettings) -> dict[str, object]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "nodeSelector": dict(settings.selector),
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [_container(models, target, settings)],
        "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }


def _container(models: Sequence[str], target: Target, settings: JobSettings) -> dict[str, object]:
    build = " ".join(("pellicule engines build", f"--triton-tag {target.triton_tag}", *models))
    return {
        "name": "engines",
        "image": settings.image,
        "command": ["sh", "-euc", f"pellicule models build\n{build}\npellicule engines publish\n"],
        "env": [
            {"name": "XDG_CACHE_HOME", "value": _CACHE},
            {"name": "PELLICULE_S3_ENDPOINT", "value": settings.endpoint},
            {"name": "PELLICULE_ENGINES_BUCKET", "value": settings.bucket},
            _secret("PELLICULE_S3_ACCESS_KEY", settings.secret, "access-key"),
            _secret("PELLICULE_S3_SECRET_KEY", settings.secret, "secret-key"),
        ],
        "resources": {
            "requests": {"cpu": "2", "memory": "8Gi"},
            "limits": {"memory": "16Gi", "nvidia.com/gpu": "1"},
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "cache", "mountPath": "/var/cache"}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def _secret(name: str, secret: str, key: str) -> dict[str, object]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
