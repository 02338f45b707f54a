"""Who may call whom: tried from inside the pods, and refused wherever no policy allows it."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from deploy.declarations import DECLARATIONS, SERVICES
from tests.cluster.harness import release
from tests.cluster.harness.names import INFERENCE, NAMESPACE, RELEASE
from tests.cluster.harness.phone import Phone
from tests.cluster.harness.programs import Cluster

_PROGRAM: Final = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

own = socket.gethostbyname(socket.gethostname())

def opens(address):
    host, _, port = address.rpartition(":")
    try:
        found = {each[4] for each in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)}
    except OSError:
        return False
    # No policy keeps a pod from itself.
    return any(connects(one) for one in found if one[0] != own)

def connects(to):
    try:
        socket.create_connection(to[:2], timeout=3).close()
    except OSError:
        return False
    return True

addresses = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(addresses)) as pool:
    print(json.dumps(dict(zip(addresses, pool.map(opens, addresses)))))
"""


def internal(service: str) -> str:
    return f"{RELEASE}-{service}-internal.{NAMESPACE}.svc.cluster.local:9443"


def public(service: str) -> str:
    return f"{RELEASE}-{service}.{NAMESPACE}.svc.cluster.local:443"


SERVERS: Final[Mapping[str, str]] = {
    "database": f"postgres.{NAMESPACE}.svc.cluster.local:5432",
    "bus": f"nats.{NAMESPACE}.svc.cluster.local:4222",
    "monitoring": f"nats-headless.{NAMESPACE}.svc.cluster.local:8222",
    "objects": f"object-store.{NAMESPACE}.svc.cluster.local:9000",
    "models": f"{INFERENCE}.{NAMESPACE}.svc.cluster.local:8001",
    "cluster": "kubernetes.default.svc.cluster.local:443",
}
EVERY: Final = [*SERVERS.values(), *(name(each) for each in SERVICES for name in (internal, public))]


def allowed(service: str) -> Iterator[str]:
    """Yield what a service may reach."""
    declared = DECLARATIONS[service]
    yield from (SERVERS[name] for name in ("database", "bus", "objects"))
    yield from map(internal, declared.calls)
    if declared.infers:
        yield SERVERS["models"]
    if service == "retention":
        yield SERVERS["cluster"]


def reached(place: Cluster, pod: str, python: str) -> set[str]:
    """Return which of all addresses a pod reaches: a Service's may lead back to it, which no policy refuses."""
    found = json.loads(place.run_in(pod, python, "-c", _PROGRAM, json.dumps(EVERY)))
    return {address for address, opened in found.items() if opened}


@pytest.mark.parametrize("role", ["server", "upkeep"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reaches_what_is_declared_and_nothing_else(installed: Cluster, service: str, role: str) -> None:
    pod = release.pod_of(installed, service, role)
    itself = {public(service)} if role == "server" else set()

    assert reached(installed, pod, "/opt/pellicule/bin/python") - itself == set(allowed(service))


@pytest.mark.parametrize("server", ["postgres-0", "object-store-0"])
def test_a_server_beneath_reaches_nothing(installed: Cluster, server: str) -> None:
    assert reached(installed, server, "/opt/platform/bin/python") == set()


def test_the_models_server_reaches_the_object_store_alone(installed: Cluster) -> None:
    (pod,) = release.pods(installed, f"app.kubernetes.io/instance={INFERENCE},app.kubernetes.io/component=server")

    found = reached(installed, str(pod["metadata"]["name"]), "/opt/triton/bin/python")

    assert found - {SERVERS["models"]} == {SERVERS["objects"]}


def test_a_phone_reaches_the_public_listeners_alone(ada: Phone, installed: Cluster) -> None:
    found = reached(ada.place, ada.pod, "/opt/pellicule/bin/python")

    assert found - {SERVERS["cluster"]} == set(map(public, SERVICES))
