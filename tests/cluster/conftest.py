"""One cell for the whole run, on the Kubernetes that KUBECONFIG names; without one everything here is left out.

The stories are told in order: each goes on with the cell that the one before left.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.harness import images, models, phone, platform, release
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.names import INFERENCE, NAMESPACE, PHONES, RELEASE
from tests.cluster.harness.phone import Phone
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times
from tests.e2e.pictures import enlarged, make_roll, now, save, sources, with_comments

STORIES: Final = (
    "images", "installed", "callers", "whole_way", "scaling", "operated", "interrupted", "certificates", "modes",
    "uninstalled",
)  # fmt: skip
"""What the modules here are called, in the order of the tale."""
PHOTOS: Final = 12
PHOTO_BYTES: Final = 16_000_000
KEEP: Final = "PELLICULE_KEEP_CELL"
"""Set, the cell stays when the run ends."""
TIMES: Final = "PELLICULE_TIMES"
"""A file for the times of all steps."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the stories in order, and leave them out where there is no cluster."""
    reason = _missing()
    own = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in own:
        item.add_marker(pytest.mark.timeout(3600))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
    own.sort(key=lambda item: STORIES.index(item.path.stem.removeprefix("test_")))
    items[:] = [*(item for item in items if item not in own), *own]


def _missing() -> str:
    if not os.environ.get("KUBECONFIG"):
        return "no cluster: KUBECONFIG is not set (docs/kubernetes.md)"
    programs = [name for name in ("kubectl", "helm") if shutil.which(name) is None]
    return f"no {' and no '.join(programs)} on the PATH" if programs else ""


@pytest.fixture(scope="session")
def times() -> Iterator[Times]:
    times = Times()
    yield times
    print(f"\n{times.table()}")  # noqa: T201  # what the run was for, as much as its tests
    if file := os.environ.get(TIMES):
        times.write(Path(file))


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, times: Times) -> None:
    """Have the images of this checkout on the nodes."""
    images.provide(tmp_path_factory.mktemp("images"), times)


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return Credentials()


@pytest.fixture(scope="session")
def namespaces(loaded: None) -> Iterator[tuple[Cluster, Cluster]]:
    """Make the namespaces of the cell and of the phones; remove them at the end."""
    cell, phones = Cluster(NAMESPACE), Cluster(PHONES)
    names = (NAMESPACE, PHONES)
    _remove(cell, names)
    cell.apply_file(platform.FOLDER / "namespace.yaml")
    cell.apply(_namespace(PHONES))
    yield cell, phones
    if not os.environ.get(KEEP):
        _remove(cell, names)


@pytest.fixture(scope="session")
def cell(namespaces: tuple[Cluster, Cluster], credentials: Credentials, times: Times) -> Cluster:
    """Return the namespace of the cell, with the servers beneath it provisioned."""
    platform.start(namespaces[0], credentials, times)
    return namespaces[0]


@pytest.fixture(scope="session")
def repository(cell: Cluster, credentials: Credentials, times: Times, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Publish the models of this machine; return what they are called in the bucket."""
    with times.step("publish the models"):
        return models.publish(cell, credentials, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def installed(cell: Cluster, repository: str, times: Times) -> Cluster:
    """Install both charts, and wait until all is ready."""
    with times.step("helm install: the models' server, until it is ready"):
        release.install(cell, INFERENCE, release.inference(cell, repository))
    with times.step("helm install: the services, until all are ready"):
        release.install(cell, RELEASE, release.own(cell))
    return cell


@pytest.fixture(scope="session")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_roll(tmp_path_factory.mktemp("roll"))


@pytest.fixture(scope="session")
def many_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write photos that take a while to bring in: large files, which are still on their way when the first are kept."""
    folder = tmp_path_factory.mktemp("many")
    pictures = list(sources().values())
    for number in range(PHOTOS):
        picture = enlarged(pictures[number % len(pictures)].rotate(90 * (number // len(pictures)), expand=True))
        path = folder / f"{number:02d}.jpg"
        save(path, picture, now() - timedelta(hours=number))
        path.write_bytes(with_comments(path.read_bytes(), PHOTO_BYTES))
    return folder


@pytest.fixture(scope="session")
def ada(namespaces: tuple[Cluster, Cluster], credentials: Credentials, roll: Path) -> Phone:
    """Return the phone of a person with a roll in `/tmp/roll`."""
    made = phone.phone(namespaces[1], phone.started(namespaces[1], "phone"), credentials, "ada")
    made.carry(roll, "roll")
    return made


def _namespace(name: str) -> dict[str, object]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _remove(cluster: Cluster, names: Sequence[str]) -> None:
    cluster.kubectl("delete", "namespace", *names, "--ignore-not-found", "--wait", seconds=400)
