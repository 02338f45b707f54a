"""Plan of a rollout: which fields of which objects change, and how they were before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.scope import Scope
from deploy.ops.errors import OpsError

SERVER = "app.kubernetes.io/name=inference,app.kubernetes.io/component=server"
_FETCH = "fetch"
_REPOSITORIES = "/repositories/"


@dataclass(frozen=True)
class Edit:
    """A field of an object.

    Attributes:
        path: Of the object.
        pointer: To the field.
        old: What it says now.
        new: What it shall say.
    """

    path: str
    pointer: str
    old: str
    new: str

    @property
    def patch(self) -> Sequence[Mapping[str, Any]]:
        """As operations, that fail if somebody else has changed it meanwhile."""
        return [{"op": "test", "path": self.pointer, "value": self.old}, self._replaced]

    @property
    def back(self) -> "Edit":
        """The way back."""
        return Edit(self.path, self.pointer, self.new, self.old)

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {"op": "replace", "path": self.pointer, "value": self.new}


@dataclass(frozen=True)
class Plan:
    """What is changed, and what is watched.

    Attributes:
        edits: What is changed.
        deployment: Path of the Deployment whose pods the servers are.
        pauses: Whether it can be held after its first new pod: KServe's are KServe's to say.
    """

    edits: tuple[Edit, ...]
    deployment: str
    pauses: bool


@dataclass(frozen=True)
class Change:
    """What is rolled out; empty for what stays."""

    image: str = ""
    repository: str = ""


def plan_of(cluster: Cluster, scope: Scope, wanted: Change) -> Plan:
    """Return the plan for the one set of servers of a scope.

    Raises:
        OpsError: there is none, there are several, or all is so already.
    """
    labels = f"{scope.labels},{SERVER}"
    served = cluster.items(scope.path("serving.kserve.io/v1beta1", "inferenceservices"), labels)
    found = served or cluster.items(scope.path("apps/v1", "deployments"), labels)
    if len(found) != 1:
        raise OpsError("SERVERS_UNCLEAR", f"{len(found)} sets of servers are there: name one by --release")
    name, plan = found[0]["metadata"]["name"], _of_kserve if served else _of_deployment
    made = plan(cluster, scope, name, wanted)
    edits = tuple(each for each in made.edits if each.old != each.new)
    if not edits:
        raise OpsError("NOTHING_TO_DO", f"{name} has that image and those models already")
    return Plan(edits, made.deployment, made.pauses)


def _of_deployment(cluster: Cluster, scope: Scope, name: str, wanted: Change) -> Plan:
    path = f"{scope.path('apps/v1', 'deployments')}/{name}"
    spec = _there(cluster, path)["spec"]["template"]["spec"]
    edits = [
        *_image(path, "/spec/template/spec", spec, "triton", wanted),
        *_fetched(path, spec, wanted),
    ]
    return Plan(tuple(edits), path, pauses=True)


def _of_kserve(cluster: Cluster, scope: Scope, name: str, wanted: Change) -> Plan:
    service = f"{scope.path('serving.kserve.io/v1beta1', 'inferenceservices')}/{name}"
    model = _there(cluster, service)["spec"]["predictor"]["model"]
    runtime = f"{scope.path('serving.kserve.io/v1alpha1', 'servingruntimes')}/{model['runtime']}"
    edits = [
        *_image(runtime, "/spec", _there(cluster, runtime)["spec"], "kserve-container", wanted),
        *_stored(service, model, wanted),
    ]
    return Plan(tuple(edits), f"{scope.path('apps/v1', 'deployments')}/{name}-predictor", pauses=False)


def _image(path: str, root: str, spec: Document, name: str, wanted: Change) -> Iterator[Edit]:
    for index, container in enumerate(spec["containers"]):
        if wanted.image and container["name"] == name:
            yield Edit(path, f"{root}/containers/{index}/image", container["image"], wanted.image)


def _fetched(path: str, spec: Document, wanted: Change) -> Iterator[Edit]:
    """Yield the edit of what is fetched before the start: `inference.publishing REPOSITORY FOLDER`."""
    if not wanted.repository:
        return
    fetching = [(at, each) for at, each in enumerate(spec.get("initContainers", [])) if each["name"] == _FETCH]
    if not fetching:
        raise OpsError("MODELS_FIXED", "the models come from a claim (models.claim): roll out another release of it")
    index, container = fetching[0]
    yield Edit(path, f"/spec/template/spec/initContainers/{index}/args/1", container["args"][1], wanted.repository)


def _stored(path: str, model: Document, wanted: Change) -> Iterator[Edit]:
    if not wanted.repository:
        return
    root, slash, _ = model["storageUri"].partition(_REPOSITORIES)
    if not slash:
        raise OpsError("MODELS_FIXED", f"the models come from {root}: roll out another release of it")
    yield Edit(path, "/spec/predictor/model/storageUri", model["storageUri"], f"{root}{slash}{wanted.repository}")


def _there(cluster: Cluster, path: str) -> Document:
    found = cluster.one(path)
    if found is None:
        raise OpsError("OBJECT_MISSING", f"{path} is not there")
    return found
