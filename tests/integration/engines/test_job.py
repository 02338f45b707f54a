"""The Job that the models' chart starts on a GPU node, word for word: from networks to a repository of engines.

The engines are there already, as a node of the kind has left them: what building them takes is tried elsewhere.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.charts.environments import values
from deploy.charts.rendering import Chart
from deploy.local.parts.object_store import ADMINISTRATOR, make_buckets
from deploy.local.parts.seaweedfs import seaweedfs_server
from inference.engines.committed import committed
from inference.engines.gpu_repository import VELOCITY, planned_identities
from inference.engines.store import PREFIX, EngineStore
from inference.model_build.build import build_all, default_home
from inference.model_build.manifest import shipped_models
from inference.objects import Bucket
from inference.publishing.store import RepositoryStore
from inference.repository import assemble_repository
from tests.contract.charts.pods import Pod, pods
from tests.contract.charts.releases import over
from tests.fakes.engines import commit_engines
from tests.fakes.tensorrt import Machine, install


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bucket]:
    async with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as running:
        identity = running.identity(ADMINISTRATOR)
        make_buckets(running.address, identity, ["models", "engines"])
        yield Bucket(f"http://{running.address}", identity.access_key, identity.secret_key, "models", "")


@pytest.fixture(scope="module")
def networks(store: Bucket, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Publish what a server without a GPU serves; return its name."""
    folder = tmp_path_factory.mktemp("published")
    build_all(default_home())
    assemble_repository(folder, default_home())
    with closing(RepositoryStore(store)) as repositories:
        return repositories.publish(folder, "cpu")[0]


@pytest.fixture(scope="module")
def engines(store: Bucket, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Publish an engine of each network, for the node."""
    home = tmp_path_factory.mktemp("builder")
    commit_engines(home, planned_identities(home / "models"))
    with closing(EngineStore(Bucket(**{**vars(store), "name": "engines", "prefix": PREFIX}), home)) as published:
        assert all(published.publish(key) for key in committed(home))


@pytest.fixture
def job(networks: str) -> Pod:
    layer = {"processor": "gpu", "engines": {"enabled": True, "networks": networks}}
    objects = Chart.load("inference").objects(over(values("development", "inference"), layer))
    return next(pod for pod in pods(objects) if pod.kind == "Job")


def _environment(store: Bucket, folder: Path, container: Mapping[str, object]) -> dict[str, str]:
    """Return the container's environment on this machine, which has become a node."""
    given: list[dict[str, str]] = container.get("env", [])  # type: ignore[assignment]
    told = {row["name"]: row.get("value", "").replace("/cache", str(folder / "cache")) for row in given}
    programs = f"{install(folder / 'bin', Machine())}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return told | {
        "PATH": programs,
        "HOME": str(folder),
        "NVIDIA_TRITON_SERVER_VERSION": "24.10",
        "PELLICULE_S3_ENDPOINT": store.endpoint,
        "PELLICULE_S3_ACCESS_KEY": store.access_key,
        "PELLICULE_S3_SECRET_KEY": store.secret_key,
        "PELLICULE_S3_CA_FILE": "",
    }


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("engines")
def test_its_last_word_names_the_repository_that_a_node_of_the_kind_serves(
    job: Pod, store: Bucket, tmp_path: Path
) -> None:
    (fetching,), (building,) = job.spec["initContainers"], job.spec["containers"]
    places = {"/work": tmp_path / "work", "/cache": tmp_path / "cache", "/dev/termination-log": tmp_path / "last"}

    def here(text: str) -> str:
        for place, folder in places.items():
            text = text.replace(place, str(folder))
        return text

    _run([sys.executable, "-m", *map(here, fetching["args"])], _environment(store, tmp_path, fetching))
    _run([here(word) for word in building["command"]], _environment(store, tmp_path, building))

    *_, name = (tmp_path / "last").read_text("utf-8").split()
    with closing(RepositoryStore(store)) as repositories:
        assert repositories.fetch(name, tmp_path / "served")
    served = {path.name for path in (tmp_path / "served").iterdir() if path.is_dir()}
    assert name.startswith("gpu-")
    assert served == {VELOCITY, *(model.name for model in shipped_models())}
    assert (tmp_path / "served" / "face_embedder" / "1" / "model.plan").read_bytes() == b"plan of face_embedder-1"
