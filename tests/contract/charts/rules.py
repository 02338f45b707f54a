"""Every rule by which we let objects into a cluster."""

from collections.abc import Mapping

from tests.contract.charts.rules_of_knative import gates_stay, taken_by_knative
from tests.contract.charts.rules_of_networks import NETWORK_RULES
from tests.contract.charts.rules_of_objects import OBJECT_RULES, Rule
from tests.contract.charts.rules_of_pods import POD_RULES, digested, of_pods

RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (*OBJECT_RULES, *NETWORK_RULES, *map(of_pods, (*POD_RULES, taken_by_knative, gates_stay)))
}
IN_PRODUCTION: Mapping[str, Rule] = {digested.__name__: of_pods(digested)}
PRODUCTION = frozenset({"production", "production-gpu", "knative"})
"""Environments that are copied for production."""
