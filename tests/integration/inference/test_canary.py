"""The containers of the models' chart on a processor, started as a pod would: mutual TLS, and a canary that knows."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import pytest_asyncio
from tritonclient.grpc import service_pb2, service_pb2_grpc

from inference.canary.renewal import given_in, shown_by
from inference.client.tls import TlsFiles
from inference.client.wire import TritonWire
from inference.load.scenarios import SHIPPED
from inference.model_build.build import build_all, default_home
from inference.model_build.manifest import shipped_models
from inference.repository import assemble_repository
from tests.fakes.certificates import FakeAuthority, MountedCertificates
from tests.integration.eventually import eventually
from tests.integration.inference.container import Containers

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

SOON = {"canary": {"everySeconds": 1, "patienceSeconds": 10}, "tls": {"restartWithinSeconds": 0}}
MODELS = [model.name for model in shipped_models()]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> FakeAuthority:
    return FakeAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def mounted(authority: FakeAuthority, tmp_path_factory: pytest.TempPathFactory) -> MountedCertificates:
    certificates = MountedCertificates(tmp_path_factory.mktemp("pod") / "tls")
    certificates.swap(authority.issue("inference"))
    return certificates


@pytest.fixture(scope="module")
def tls(mounted: MountedCertificates) -> TlsFiles:
    settings = mounted.settings
    return TlsFiles(settings.tls_ca_file, settings.tls_cert_file, settings.tls_key_file)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pod(mounted: MountedCertificates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Containers]:
    folder = tmp_path_factory.mktemp("containers")
    build_all(default_home())
    assemble_repository(folder / "models", default_home())
    folder.joinpath("work").mkdir()
    certificates = mounted.settings.tls_cert_file.parent
    async with Containers(folder / "work", folder / "models", certificates, SOON) as containers:
        containers.start_canary()
        yield containers


async def _program(module: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a program of ours; return its status, and its lines of JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    status = await process.wait()
    return status, [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]


def _files(tls: TlsFiles) -> Sequence[str]:
    return ("--ca-file", str(tls.authority), "--cert-file", str(tls.certificate), "--key-file", str(tls.key))


async def test_a_pod_is_not_ready_before_its_server_answers_rightly(pod: Containers) -> None:
    await eventually(lambda: pod.health("liveness"))
    before = await pod.health()
    pod.start_server()

    assert not before
    assert await eventually(pod.health, seconds=240)
    assert {found["model"]: found["outcome"] for found in pod.rounds()[-1]["models"]} == {
        name: "alive" if name == "restyler" else "right" for name in MODELS
    }


async def test_asked_by_hand_it_says_that_all_is_right_the_painted_picture_too(pod: Containers, tls: TlsFiles) -> None:
    status, (round_,) = await _program(
        "inference.canary", "--target", pod.address, *_files(tls), "--paint", "--timeout", "120"
    )

    assert (status, round_["well"]) == (0, True)
    assert {found["model"]: found["outcome"] for found in round_["models"]} == dict.fromkeys(MODELS, "right")


async def test_who_shows_no_certificate_is_not_let_in(pod: Containers, tls: TlsFiles) -> None:
    for arguments in (("--ca-file", str(tls.authority)), ()):
        status, (round_,) = await _program("inference.canary", "--target", pod.address, *arguments, "--timeout", "2")

        assert (status, round_["well"]) == (1, False)
        assert {found["reason"] for found in round_["models"]} == {"MODEL_SERVER_UNREACHABLE"}


async def test_what_only_operators_may_do_is_refused_even_to_known_callers(pod: Containers, tls: TlsFiles) -> None:
    async with grpc.aio.secure_channel(pod.address, tls.credentials()) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError, match="pellicule-pod"):
            await stub.LogSettings(service_pb2.LogSettingsRequest(), timeout=5)
        with pytest.raises(grpc.aio.AioRpcError, match="pellicule-pod"):
            await stub.SystemSharedMemoryStatus(service_pb2.SystemSharedMemoryStatusRequest(), timeout=5)

    wire = TritonWire(pod.address, tls)
    assert (await wire.facts("face_embedder", seconds=5)).identity == "face_embedder-1"
    await wire.close()


async def test_it_is_loaded_under_tls_and_the_results_are_kept(pod: Containers, tls: TlsFiles, tmp_path: Path) -> None:
    short = SHIPPED.read_text("utf-8").replace("seconds = 20.0", "seconds = 2.0")
    tmp_path.joinpath("short.toml").write_text(short.replace("stall_ms = 400.0", "stall_ms = 1e5"), "utf-8")
    results = tmp_path / "results"

    status, (line,) = await _program(
        "inference.load", "poisson", "--address", pod.address, *_files(tls), "--model", "face_embedder",
        "--out", str(results), "--file", str(tmp_path / "short.toml"),
    )  # fmt: skip
    (results / "status").write_text(f"{status}\n", "utf-8")
    kept, _ = await _program("inference.load.keeping", str(results), "--folder", str(tmp_path / "kept"))

    assert (status, line["scenario"], line["model"], kept) == (0, "poisson", "face_embedder", 0)
    document = json.loads((tmp_path / "kept" / "poisson-face_embedder.json").read_text("utf-8"))
    assert document["server"]["name"] == "triton"
    assert all(phase["answered"] for phase in document["phases"])


async def test_a_renewed_certificate_has_the_server_started_again(
    pod: Containers, authority: FakeAuthority, mounted: MountedCertificates
) -> None:
    before = await shown_by(pod.address)
    mounted.swap(authority.issue("inference"))
    given = given_in(mounted.settings.tls_cert_file)

    assert not await eventually(lambda: pod.health("liveness"), lambda serving: not serving)
    assert await pod.health()  # callers are served until then
    assert await shown_by(pod.address) == before != given

    await pod.processes["triton"].stop()
    await eventually(pod.health, lambda serving: not serving)
    pod.start_server()

    assert await eventually(pod.health, seconds=240)
    assert await pod.health("liveness")
    assert await shown_by(pod.address) == given


async def test_a_dead_model_process_has_the_server_started_again(pod: Containers) -> None:
    await eventually(pod.health, seconds=240)
    server = psutil.Process(pod.processes["triton"].pid)
    for process in server.children(recursive=True):
        if "python_backend_stub" in process.name():
            process.kill()

    assert not await eventually(pod.health, lambda serving: not serving)
    assert not await eventually(lambda: pod.health("liveness"), lambda serving: not serving, seconds=120)
    assert server.is_running()  # and would call itself ready
    # A restyler whose request was under way may hang, and looks like one at work.
    assert {found["model"] for found in pod.rounds()[-1]["models"] if found["outcome"] != "wrong"} <= {"restyler"}


async def test_the_canary_ends_when_it_is_told_to(pod: Containers) -> None:
    canary = pod.processes["canary"]

    await canary.stop()

    assert canary.exit_status == 0
