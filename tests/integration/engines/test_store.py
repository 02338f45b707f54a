"""Engines in a real bucket: SeaweedFS, and MinIO where it is built."""

import hashlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.parts.minio import minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.object_store import ADMINISTRATOR, connection, make_buckets
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.provision.object_store import Identity
from inference.engines.build import Builder
from inference.engines.committed import committed, engines, newest, verify
from inference.engines.committed import install as install_engine
from inference.engines.errors import EngineDamaged, EngineMissing, WrongTarget
from inference.engines.node import Node, this_node
from inference.engines.store import PREFIX, EngineStore
from inference.model_build.errors import StoreUnavailable
from inference.objects import Bucket
from services.chassis.clock import SystemClock
from tests.fakes.tensorrt import Machine, install
from tests.unit.engines.small import small_export

BUCKET = "engines"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bucket]:
    async with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield made_bucket(server.address, server.identity(ADMINISTRATOR))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def minio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bucket]:
    if cached_minio() is None:
        pytest.skip("MinIO is not built here: `pellicule up --object-store minio` builds it once")
    async with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield made_bucket(server.address, server.identity(ADMINISTRATOR))


def made_bucket(address: str, identity: Identity) -> Bucket:
    make_buckets(address, identity, [BUCKET])
    return Bucket(f"http://{address}", identity.access_key, identity.secret_key, BUCKET, PREFIX)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    programs = install(tmp_path_factory.mktemp("node") / "bin", Machine())
    return this_node(triton_tag="24.10-py3", environment={"PATH": str(programs)})


@pytest.fixture(scope="module")
def built(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of the node that builds."""
    folder = tmp_path_factory.mktemp("builder")
    Builder(node, folder / "engines", SystemClock()).build(small_export(folder))
    return folder / "engines"


class StoreSuite:
    """What holds on every S3 server."""

    @pytest.fixture
    def bucket(self, server: Bucket, request: pytest.FixtureRequest) -> Bucket:
        """Make a prefix of its own for each test."""
        return Bucket(**{**vars(server), "prefix": f"of/{request.node.name}"})

    @pytest.fixture
    def builder(self, bucket: Bucket, built: Path) -> Iterator[EngineStore]:
        store = EngineStore(bucket, built)
        yield store
        store.close()

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        return tmp_path / "engines"

    @pytest.fixture
    def server_node(self, bucket: Bucket, home: Path) -> Iterator[EngineStore]:
        """Make the store as the node that serves sees it."""
        store = EngineStore(bucket, home)
        yield store
        store.close()

    @pytest.fixture
    def key(self, built: Path) -> str:
        return committed(built)[0]

    def test_what_one_node_publishes_another_serves(
        self, builder: EngineStore, server_node: EngineStore, home: Path, key: str, node: Node
    ) -> None:
        assert builder.publish(key)
        assert newest(server_node.engines(["small_net"]), {"small_net": "small_net-1"}, node.target) == [key]
        assert server_node.fetch(key)

        assert verify(home, key, node.target).key == key
        assert sorted(path.name for path in (home / "plans" / key).iterdir()) == ["manifest.json", "model.plan"]

    def test_a_second_time_does_nothing(self, builder: EngineStore, server_node: EngineStore, key: str) -> None:
        assert [builder.publish(key), builder.publish(key)] == [True, False]
        assert [server_node.fetch(key), server_node.fetch(key)] == [True, False]

    def test_half_an_upload_is_no_engine(
        self, bucket: Bucket, server_node: EngineStore, home: Path, key: str, node: Node
    ) -> None:
        put(bucket, f"{key}/{'0' * 64}.plan", b"half a plan")

        with pytest.raises(EngineMissing, match="not published"):
            server_node.fetch(key)
        with pytest.raises(EngineMissing, match="no engine of small_net-1"):
            newest(server_node.engines(["small_net"]), {"small_net": "small_net-1"}, node.target)
        assert committed(home) == []

    def test_what_was_uploaded_in_vain_is_removed_once_the_key_is_published(
        self, bucket: Bucket, builder: EngineStore, server_node: EngineStore, key: str
    ) -> None:
        put(bucket, f"{key}/{'0' * 64}.plan", b"half a plan")

        assert builder.publish(key)
        assert len(names(bucket, key)) == 2
        assert server_node.fetch(key)

    def test_a_plan_of_another_digest_is_not_installed(
        self, bucket: Bucket, builder: EngineStore, server_node: EngineStore, built: Path, home: Path, key: str
    ) -> None:
        builder.publish(key)
        plan = (built / "plans" / key / "model.plan").read_bytes()
        put(bucket, f"{key}/{hashlib.sha256(plan).hexdigest()}.plan", plan[:-1] + b"?")

        with pytest.raises(EngineDamaged, match="nothing was installed"):
            server_node.fetch(key)
        assert committed(home) == []
        assert [path.name for path in home.iterdir() if path.name.startswith(".making")] == []

    def test_a_changed_manifest_is_not_believed(
        self, bucket: Bucket, builder: EngineStore, server_node: EngineStore, built: Path, home: Path, key: str
    ) -> None:
        builder.publish(key)
        manifest = json.loads((built / "plans" / key / "manifest.json").read_text("utf-8"))
        manifest["plan"]["sha256"] = "0" * 64
        put(bucket, f"{key}/manifest.json", json.dumps(manifest).encode())

        with pytest.raises(EngineDamaged, match="changed after it was written"):
            server_node.fetch(key)
        assert committed(home) == []

    def test_a_node_with_another_gpu_is_told_what_differs(
        self, builder: EngineStore, server_node: EngineStore, key: str, node: Node
    ) -> None:
        builder.publish(key)
        other = node.target.model_copy(update={"sm": 89})

        with pytest.raises(WrongTarget, match="SM is 89 here and 90 in the plan"):
            newest(server_node.engines(["small_net"]), {"small_net": "small_net-1"}, other)

    def test_an_engine_of_an_older_model_is_not_taken(
        self, builder: EngineStore, server_node: EngineStore, key: str, node: Node
    ) -> None:
        builder.publish(key)

        with pytest.raises(EngineMissing, match="no engine of small_net-2"):
            newest(server_node.engines(["small_net"]), {"small_net": "small_net-2"}, node.target)

    def test_a_bucket_that_is_not_there_is_named(self, bucket: Bucket, built: Path, key: str) -> None:
        store = EngineStore(Bucket(**{**vars(bucket), "name": "no-such-bucket"}), built)

        with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
            store.publish(key)
        store.close()


def put(bucket: Bucket, name: str, data: bytes) -> None:
    """Put an object as somebody else would."""
    identity = Identity(bucket.access_key, bucket.secret_key)
    with connection(bucket.endpoint.removeprefix("http://"), identity) as (client, _):
        client.put_object(bucket.name, f"{bucket.prefix}/{name}", io.BytesIO(data), len(data))


def names(bucket: Bucket, key: str) -> list[str]:
    """Make the objects of a key."""
    identity = Identity(bucket.access_key, bucket.secret_key)
    with connection(bucket.endpoint.removeprefix("http://"), identity) as (client, _):
        listed = client.list_objects(bucket.name, prefix=f"{bucket.prefix}/{key}/", recursive=True)
        return [str(item.object_name) for item in listed]


class TestSeaweedFS(StoreSuite):
    @pytest.fixture
    def server(self, seaweedfs: Bucket) -> Bucket:
        return seaweedfs


class TestMinIO(StoreSuite):
    @pytest.fixture
    def server(self, minio: Bucket) -> Bucket:
        return minio


def test_a_store_that_does_not_answer_says_so(tmp_path: Path, built: Path) -> None:
    store = EngineStore(Bucket("http://127.0.0.1:9", "someone", "secret", BUCKET, PREFIX), built)

    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.publish(committed(built)[0])
    store.close()


class TestInstalling:
    @pytest.fixture
    def shipped(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """Make a shipped repository that knows the small model."""
        folder = tmp_path / "shipped" / "small_net"
        folder.mkdir(parents=True)
        (folder / "config.pbtxt").write_text('name: "small_net"\nplatform: "tensorrt_plan"\n', "utf-8")
        monkeypatch.setattr("inference.engines.committed.SHIPPED", folder.parent)
        return folder.parent

    @pytest.mark.usefixtures("shipped")
    def test_the_server_finds_the_plan_and_the_identity(self, built: Path, tmp_path: Path, node: Node) -> None:
        (key,) = newest(engines(built), {"small_net": "small_net-1"}, node.target)

        for _ in range(2):
            plan = install_engine(tmp_path / "repository", built, key, node.target)

        assert plan == tmp_path / "repository" / "small_net" / "1" / "model.plan"
        assert plan.read_bytes() == (built / "plans" / key / "model.plan").read_bytes()
        assert [path.name for path in plan.parent.iterdir()] == ["model.plan"]
        assert "small_net-1" in (plan.parents[1] / "config.pbtxt").read_text("utf-8")

    def test_a_plan_for_another_node_is_not_put_in_place(self, built: Path, tmp_path: Path, node: Node) -> None:
        with pytest.raises(WrongTarget):
            install_engine(tmp_path / "r", built, committed(built)[0], node.target.model_copy(update={"sm": 75}))
        assert not (tmp_path / "r").exists()
