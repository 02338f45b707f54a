"""Whole model repositories in a real bucket: what is published is what is fetched, or nothing is."""

import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.parts.object_store import ADMINISTRATOR, connection, make_buckets
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.provision.object_store import Identity
from inference.model_build.errors import StoreUnavailable
from inference.objects import Bucket
from inference.publishing.errors import RepositoryDamaged, RepositoryInvalid, RepositoryMissing
from inference.publishing.store import RepositoryStore

BUCKET = "models"
FILES = {
    "small_net/config.pbtxt": b'name: "small_net"\n',
    "small_net/1/model.plan": b"a plan" * 1000,
    "other_net/config.pbtxt": b'name: "other_net"\n',
    "other_net/1/diffusion/flow.py": b"pass\n",
    "NOTICE": b"Apache-2.0\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bucket]:
    async with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as running:
        identity = running.identity(ADMINISTRATOR)
        make_buckets(running.address, identity, [BUCKET])
        yield Bucket(f"http://{running.address}", identity.access_key, identity.secret_key, BUCKET, "")


@pytest.fixture
def bucket(server: Bucket, request: pytest.FixtureRequest) -> Bucket:
    """Make a prefix of its own for each test."""
    return Bucket(**{**vars(server), "prefix": request.node.name})


@pytest.fixture
def store(bucket: Bucket) -> Iterator[RepositoryStore]:
    store = RepositoryStore(bucket)
    yield store
    store.close()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write(tmp_path / "repository", FILES)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for place, data in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    """Return what the server would see: nothing that is hidden."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def put(bucket: Bucket, name: str, data: bytes) -> None:
    """Put an object as somebody else would."""
    identity = Identity(bucket.access_key, bucket.secret_key)
    with connection(bucket.endpoint.removeprefix("http://"), identity) as (client, _):
        client.put_object(bucket.name, f"{bucket.prefix}/{name}", io.BytesIO(data), len(data))


def test_what_is_published_is_what_is_fetched(store: RepositoryStore, repository: Path, tmp_path: Path) -> None:
    name, new = store.publish(repository, "cpu")

    assert (name.startswith("cpu-"), new) == (True, True)
    assert store.fetch(name, tmp_path / "served")
    assert read(tmp_path / "served") == FILES


def test_a_second_time_does_nothing(store: RepositoryStore, repository: Path, tmp_path: Path) -> None:
    (name, new), again = store.publish(repository, "cpu"), store.publish(repository, "cpu")

    assert (new, again) == (True, (name, False))
    assert [store.fetch(name, tmp_path / "served"), store.fetch(name, tmp_path / "served")] == [True, False]


def test_another_content_is_another_name(store: RepositoryStore, repository: Path) -> None:
    first, _ = store.publish(repository, "cpu")
    (repository / "small_net" / "1" / "model.plan").write_bytes(b"another plan")

    second, new = store.publish(repository, "cpu")

    assert new
    assert first != second


def test_moving_to_another_repository_and_back_leaves_nothing_of_the_other(
    store: RepositoryStore, repository: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", {"new_net/config.pbtxt": b"n", "new_net/1/model.plan": b"p"})
    first, second = store.publish(repository, "cpu")[0], store.publish(other, "cpu")[0]

    for name, files in ((first, FILES), (second, read(other)), (first, FILES)):
        assert store.fetch(name, tmp_path / "served")
        assert {place for place in read(tmp_path / "served") if "/" in place} == {p for p in files if "/" in p}


@pytest.mark.parametrize("harm", ["changed", "gone", "foreign"])
def test_what_was_changed_by_hand_is_fetched_anew(
    store: RepositoryStore, repository: Path, tmp_path: Path, harm: str
) -> None:
    name, _ = store.publish(repository, "cpu")
    served = tmp_path / "served"
    store.fetch(name, served)
    if harm == "foreign":
        write(served, {"foreign_net/config.pbtxt": b""})
    elif harm == "gone":
        (served / "small_net" / "1" / "model.plan").unlink()
    else:
        (served / "small_net" / "1" / "model.plan").write_bytes(b"x")

    assert store.fetch(name, served)
    assert read(served) == FILES


def test_half_an_upload_is_no_repository(store: RepositoryStore, bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, "repositories/cpu-0123456789ab/small_net/config.pbtxt", b"half")

    with pytest.raises(RepositoryMissing, match="pellicule models publish"):
        store.fetch("cpu-0123456789ab", tmp_path / "served")
    assert not (tmp_path / "served").exists()


def test_a_file_that_was_changed_in_the_bucket_is_not_served(
    store: RepositoryStore, bucket: Bucket, repository: Path, tmp_path: Path
) -> None:
    name, _ = store.publish(repository, "cpu")
    store.fetch(name, tmp_path / "served")
    put(bucket, f"repositories/{name}/small_net/1/model.plan", b"not what was published")

    with pytest.raises(RepositoryDamaged, match=r"small_net/1/model\.plan"):
        store.fetch(name, tmp_path / "fresh")
    assert read(tmp_path / "fresh") == {}
    assert read(tmp_path / "served") == FILES


@pytest.mark.parametrize(
    "manifest",
    [
        b"{",
        b'{"label": "cpu", "files": {}}',
        json.dumps({"label": "cpu", "files": {"../../etc/passwd": {"sha256": "0" * 64, "size_bytes": 1}}}).encode(),
        json.dumps({"label": "cpu", "files": {"net/config.pbtxt": {"sha256": "0" * 64, "size_bytes": 1}}}).encode(),
    ],
)
def test_a_manifest_that_is_none_or_another_ones_is_not_believed(
    store: RepositoryStore, bucket: Bucket, tmp_path: Path, manifest: bytes
) -> None:
    put(bucket, "repository-manifests/cpu-0123456789ab.json", manifest)

    with pytest.raises(RepositoryInvalid, match="publish"):
        store.fetch("cpu-0123456789ab", tmp_path / "served")
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize(
    ("files", "label", "words"),
    [
        ({"NOTICE": b""}, "cpu", "holds no model"),
        ({"net/1/model.plan": b""}, "cpu", r"net has no config\.pbtxt"),
        (FILES, "Not a Label", "is no label"),
    ],
)
def test_what_is_no_repository_is_not_published(
    store: RepositoryStore, tmp_path: Path, files: dict[str, bytes], label: str, words: str
) -> None:
    with pytest.raises(RepositoryInvalid, match=words):
        store.publish(write(tmp_path / "folder", files), label)


def test_a_store_that_does_not_answer_says_so(tmp_path: Path) -> None:
    store = RepositoryStore(Bucket("http://127.0.0.1:9", "someone", "secret", BUCKET, ""))

    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.fetch("cpu-0123456789ab", tmp_path)
    store.close()


def test_what_starts_before_a_server_needs_neither_onnx_nor_a_gpu(
    server: Bucket, repository: Path, tmp_path: Path
) -> None:
    store = RepositoryStore(server)
    name, _ = store.publish(repository, "cpu")
    store.close()
    settings = {"ENDPOINT": server.endpoint, "ACCESS_KEY": server.access_key, "SECRET_KEY": server.secret_key}

    def fetch(wanted: str) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_ONNX, wanted, str(tmp_path / "served")],
            env={**os.environ, **{f"PELLICULE_S3_{key}": value for key, value in settings.items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        said: dict[str, object] = json.loads(done.stdout or json.dumps({"stderr": done.stderr}))
        return {**said, "status": done.returncode}

    assert fetch(name) == {"repository": name, "folder": str(tmp_path / "served"), "new": True, "status": 0}
    missing = fetch("cpu-000000000000")
    assert missing["status"] == 1
    assert missing["error"]["reason"] == "MODEL_REPOSITORY_MISSING"  # type: ignore[index]
    assert read(tmp_path / "served") == FILES


_WITHOUT_ONNX = """
import runpy, sys
for package in ("onnx", "onnxruntime", "pytriton", "psutil"):
    sys.modules[package] = None
runpy.run_module("inference.publishing", run_name="__main__", alter_sys=True)
"""
