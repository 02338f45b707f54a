"""What the models' chart renders to, in every way that it can be set."""

from collections.abc import Sequence

from deploy.charts.environments import Values, values
from deploy.charts.rendering import Object
from tests.contract.charts.pods import Pod, pods
from tests.contract.charts.releases import chart, over

PORT = 8001
BASE = values("production", "inference")
CARDS: Values = {"processor": "gpu"}
KSERVE: Values = {"mode": "kserve"}
ENGINES: Values = {"engines": {"enabled": True, "networks": "cpu-00000000000f"}}
LOAD: Values = {"load": {"scenarios": {"enabled": True}, "perfAnalyzer": {"enabled": True}}}


def objects_of(*layers: Values) -> Sequence[Object]:
    """Render production's values with others laid over them."""
    return chart("inference").objects(over(BASE, *layers))


def server_of(objects: Sequence[Object]) -> Pod:
    """Return the pod of the servers."""
    return next(pod for pod in pods(objects) if pod.lasts)


def flags_of(objects: Sequence[Object]) -> dict[str, str]:
    """Return what the server is told: flag -> value."""
    arguments = server_of(objects).containers[-2]["args"]
    return dict(argument.partition("=")[::2] for argument in arguments)
