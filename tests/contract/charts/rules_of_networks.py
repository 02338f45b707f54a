"""What we let into a cluster: rules about network policies. Each yields what is wrong."""

from collections.abc import Iterator, Sequence
from typing import Any

from deploy.charts.rendering import Object
from tests.contract.charts.pods import pods, selects
from tests.contract.charts.rules_of_objects import Rule, of_kind

BOTH = frozenset({"Ingress", "Egress"})


def denied_by_default(objects: Sequence[Object]) -> Iterator[str]:
    """Refuse what is not allowed, both ways, of every pod; and of no pod that is another's."""
    policies = of_kind(objects, "NetworkPolicy")
    closed = [each for each in policies if _allows_nothing(each)]
    for pod in pods(objects):
        if not any(selects(each.at("spec", "podSelector"), pod.labels) for each in closed):
            yield f"{pod.owner.identity}: no policy refuses what is not allowed"
    for each in policies:
        if not each.at("spec", "podSelector", "matchLabels"):
            yield f"{each.identity}: is for every pod of the namespace"


def _allows_nothing(policy: Object) -> bool:
    spec = policy.at("spec")
    return frozenset(spec["policyTypes"]) == BOTH and not spec.get("ingress") and not spec.get("egress")


def ports_named_in_policies(objects: Sequence[Object]) -> Iterator[str]:
    """Allow no peer at every port."""
    for each in of_kind(objects, "NetworkPolicy"):
        rules = [*each.at("spec", "ingress", default=[]), *each.at("spec", "egress", default=[])]
        yield from (f"{each.identity}: a rule for all ports" for rule in rules if not rule.get("ports"))


def types_said(objects: Sequence[Object]) -> Iterator[str]:
    """Say of each policy which way it is for: without, one that only lets out refuses all that comes in as well."""
    for each in of_kind(objects, "NetworkPolicy"):
        if not each.at("spec", "policyTypes"):
            yield f"{each.identity}: does not say which way"


def let_in_where_it_listens(objects: Sequence[Object]) -> Iterator[str]:
    """Let callers in at ports that some pod behind the policy has."""
    made = list(pods(objects))
    for each in of_kind(objects, "NetworkPolicy"):
        behind = [pod for pod in made if selects(each.at("spec", "podSelector"), pod.labels)]
        listening = {port for pod in behind for port in pod.ports.values()}
        if any(pod.is_knative for pod in behind) or not behind:
            continue  # Knative's own proxy listens; a policy may be for a server of the namespace that is not ours
        for port in _ports(each.at("spec", "ingress", default=[])):
            if port not in listening:
                yield f"{each.identity}: lets in at {port}, where nothing listens"


def _ports(rules: Sequence[dict[str, Any]]) -> set[object]:
    return {port.get("port") for rule in rules for port in rule.get("ports", [])}


NETWORK_RULES: Sequence[Rule] = (denied_by_default, ports_named_in_policies, types_said, let_in_where_it_listens)
