"""Kubernetes Job that builds engines on a GPU node (`job.yaml`), with what a cluster has to say filled in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from inference.engines.targets import Target


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


def job(models: Sequence[str], target: Target, settings: JobSettings) -> str:
    """Return the manifest of a Job that builds models, builds their engines, and publish those."""
    build = " ".join(("pellicule engines build", f"--triton-tag {target.triton_tag}", *models))
    said = {name: json.dumps(value) for name, value in vars(settings).items()}  # JSON is YAML, and quotes everything
    return Template(Path(__file__).with_name("job.yaml").read_text("utf-8")).substitute(said, sm=target.sm, build=build)
