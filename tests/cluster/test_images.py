"""The image of the services runs under the strictest rules for pods, and brings nothing that installs or compiles."""

from importlib.metadata import version

import pytest

from tests.cluster.harness import phone
from tests.cluster.harness.programs import Cluster

_LEFT = "for name in pip pip3 gcc cc make curl wget; do command -v $name; done; true"
_FOUND = """
from importlib.util import find_spec
print(*(name for name in ("pip", "setuptools", "ensurepip", "pytest", "hatchling") if find_spec(name)))
"""


@pytest.fixture(scope="module")
def pod(namespaces: tuple[Cluster, Cluster]) -> tuple[Cluster, str]:
    place = namespaces[1]
    return place, phone.started(place, "image")


def test_it_runs_as_an_account_with_a_name_that_is_not_root(pod: tuple[Cluster, str]) -> None:
    place, name = pod

    assert place.run_in(name, "id", "-u", "-n").strip() == "pellicule"


def test_it_can_write_nowhere_but_for_a_while(pod: tuple[Cluster, str]) -> None:
    place, name = pod
    tried = "for folder in / /opt/pellicule /etc /var /tmp; do touch $folder/x 2>/dev/null && echo $folder; done; true"

    assert place.run_in(name, "sh", "-c", tried).split() == ["/tmp"]


def test_nothing_in_it_installs_compiles_or_fetches(pod: tuple[Cluster, str]) -> None:
    place, name = pod

    assert place.run_in(name, "sh", "-c", _LEFT).split() == []
    assert place.run_in(name, "/opt/pellicule/bin/python", "-c", _FOUND).split() == []


def test_it_knows_which_release_it_is(pod: tuple[Cluster, str]) -> None:
    place, name = pod
    said = place.run_in(name, "/opt/pellicule/bin/python", "-m", "services.cli", "--version")
    assert said.split() == ["pellicule", version("pellicule")]
