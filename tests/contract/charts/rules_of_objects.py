"""What we let into a cluster: rules about the objects of a release together. Each yields what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from deploy.charts.rendering import Object
from tests.contract.charts.pods import Pod, pods, selects

Rule = Callable[[Sequence[Object]], Iterator[str]]

_LABELS = ("part-of", "instance", "name", "version", "managed-by")
_SCALERS = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
LONGEST_NAME = 63


def of_kind(objects: Sequence[Object], *kinds: str) -> list[Object]:
    """Return the objects of some kinds."""
    return [each for each in objects if each.kind in kinds]


def no_secret(objects: Sequence[Object]) -> Iterator[str]:
    """Make no Secret: what is in a release is in its history, and who reads that reads it."""
    yield from (f"{each.identity}: a Secret" for each in of_kind(objects, "Secret"))


def named(objects: Sequence[Object]) -> Iterator[str]:
    """Name and label every object, and none like another."""
    counted = Counter(each.identity for each in objects)
    yield from (f"{identity}: {count} of that name" for identity, count in counted.items() if count > 1)
    for each in objects:
        labels = each.at("metadata", "labels", default={})
        yield from (
            f"{each.identity}: no label {name}" for name in _LABELS if f"app.kubernetes.io/{name}" not in labels
        )
        if len(each.name) > LONGEST_NAME:
            yield f"{each.identity}: its name is longer than {LONGEST_NAME}"


def own_accounts(objects: Sequence[Object]) -> Iterator[str]:
    """Have every pod be an account of the release, which mounts no token by itself."""
    accounts = {each.name: each for each in of_kind(objects, "ServiceAccount")}
    for account in accounts.values():
        if account.at("automountServiceAccountToken") is not False:
            yield f"{account.identity}: mounts its token by itself"
    for pod in pods(objects):
        if pod.kind != "ServingRuntime" and pod.spec.get("serviceAccountName") not in accounts:
            yield f"{pod.owner.identity}: is no account of this release"


def one_service_an_account(objects: Sequence[Object]) -> Iterator[str]:
    """Share no account between services that last."""
    owners: dict[str, str] = {}
    for pod in pods(objects):
        service = pod.labels.get("app.kubernetes.io/name", pod.owner.name)
        account = pod.spec.get("serviceAccountName", "")
        if pod.lasts and account and owners.setdefault(account, service) != service:
            yield f"{pod.owner.identity}: has the account of {owners[account]}"


def tokens_used(objects: Sequence[Object]) -> Iterator[str]:
    """Mount a token only where its account may do something with it: here, or at whom it is made out to."""
    bound = {subject["name"] for each in of_kind(objects, "RoleBinding") for subject in each.at("subjects")}
    for pod in pods(objects):
        sources = [row for volume in pod.volumes.values() for row in volume.get("projected", {}).get("sources", [])]
        tokens = [source["serviceAccountToken"] for source in sources if "serviceAccountToken" in source]
        if any("audience" not in token for token in tokens) and pod.spec["serviceAccountName"] not in bound:
            yield f"{pod.owner.identity}: has a token with which it may do nothing"


def small_rights(objects: Sequence[Object]) -> Iterator[str]:
    """Give rights on what is named alone, in the namespace, without wildcards."""
    yield from (
        f"{each.identity}: holds in the whole cluster" for each in of_kind(objects, "ClusterRole", "ClusterRoleBinding")
    )
    for role in of_kind(objects, "Role"):
        for rule in role.at("rules"):
            if "*" in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]]:
                yield f"{role.identity}: a wildcard"
            if "secrets" in rule["resources"] and not rule.get("resourceNames"):
                yield f"{role.identity}: all Secrets"
            if {"list", "watch", "create", "deletecollection"} & set(rule["verbs"]) and "secrets" in rule["resources"]:
                yield f"{role.identity}: a right on Secrets that no name narrows"


def selectors_match(objects: Sequence[Object]) -> Iterator[str]:
    """Select what there is, and lead to a port that it has."""
    made = list(pods(objects))
    for pod in made:
        selector = pod.owner.at("spec", "selector")
        if pod.kind in ("Deployment", "StatefulSet") and not selects(selector, pod.labels):
            yield f"{pod.owner.identity}: does not select its own pods"
    for each in of_kind(objects, "Service"):
        if str(each.document["apiVersion"]) == "v1":
            yield from _served(
                each, [pod for pod in made if selects({"matchLabels": each.at("spec", "selector")}, pod.labels)]
            )
    for each in of_kind(objects, "PodDisruptionBudget"):
        chosen = [pod for pod in made if selects(each.at("spec", "selector"), pod.labels)]
        if {pod.owner.identity for pod in chosen} - {each.owner.identity for each in chosen[:1]} or not chosen:
            yield f"{each.identity}: is for {len(chosen)} workloads"


def _served(service: Object, chosen: Sequence[Pod]) -> Iterator[str]:
    if not chosen:
        yield f"{service.identity}: selects no pod"
    for pod in chosen:
        for port in service.at("spec", "ports"):
            if not isinstance(port["targetPort"], str):
                yield f"{service.identity}: leads to port {port['targetPort']}, not to its name"
            elif port["targetPort"] not in pod.ports:
                yield f"{service.identity}: leads to {port['targetPort']}, which {pod.owner.identity} does not have"


def scaled_by_one(objects: Sequence[Object]) -> Iterator[str]:
    """Set replicas only where no scaler does, and scale what there is, by one scaler."""
    targets = Counter(str(each.at("spec", "scaleTargetRef", "name")) for each in of_kind(objects, *_SCALERS))
    deployments = {each.name: each for each in of_kind(objects, "Deployment")}
    kserves = {f"{each.name}-predictor" for each in of_kind(objects, "InferenceService")}
    yield from (f"{name}: is scaled and not there" for name in sorted(targets.keys() - deployments.keys() - kserves))
    yield from (f"{name}: has {count} scalers" for name, count in targets.items() if count > 1)
    for name, each in deployments.items():
        if (each.at("spec", "replicas") is None) != (name in targets):
            wrong = "a scaler and replicas" if name in targets else "neither a scaler nor replicas"
            yield f"{each.identity}: has {wrong}"


def disruption_bounded(objects: Sequence[Object]) -> Iterator[str]:
    """Bound what a drained node takes away, and never so that it cannot be drained."""
    budgets = of_kind(objects, "PodDisruptionBudget")
    for pod in pods(objects):
        if pod.kind == "Deployment" and not any(selects(each.at("spec", "selector"), pod.labels) for each in budgets):
            yield f"{pod.owner.identity}: a drained node may take all its pods"
    for each in budgets:
        if not each.at("spec", "maxUnavailable"):
            yield f"{each.identity}: a node with its pod is never drained"


def hooks_stand_alone(objects: Sequence[Object]) -> Iterator[str]:
    """Need nothing of the release in what is applied before it, and leave nothing of it behind."""
    before = [each for each in objects if {"pre-install", "pre-upgrade"} & set(each.hooks)]
    accounts = {each.name for each in before if each.kind == "ServiceAccount"}
    made = {each.at("spec", "secretName") for each in of_kind(objects, "Certificate")}
    for pod in pods(before):
        if pod.spec["serviceAccountName"] not in accounts:
            yield f"{pod.owner.identity}: its account is not there yet"
        if {volume.get("secret", {}).get("secretName") for volume in pod.volumes.values()} & made:
            yield f"{pod.owner.identity}: its certificate is not there yet"
    for each in objects:
        if each.is_hook and "hook-succeeded" not in each.at(
            "metadata", "annotations", "helm.sh/hook-delete-policy", default=""
        ):
            yield f"{each.identity}: stays when the release goes"


OBJECT_RULES: Sequence[Rule] = (
    no_secret,
    named,
    own_accounts,
    one_service_an_account,
    tokens_used,
    small_rights,
    selectors_match,
    scaled_by_one,
    disruption_bounded,
    hooks_stand_alone,
)
