"""JSON at the edge: Envoy by the configuration of the platform, with a real service behind it."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import urllib3
import yaml

from deploy.local.parts.lifecycle import is_listening
from deploy.local.parts.nats import nats_server
from deploy.local.parts.ports import LOOPBACK, ReservedPort, parted
from deploy.local.parts.postgres import postgres_server
from deploy.local.parts.process import Command, ServerProcess
from tests.contract.products import ROOT
from tests.integration.consent.harness import Harness, Retention

EDGE = ROOT / "deploy" / "platform" / "edge"
ENVOY = Path(sys.prefix) / "bin" / "envoy"
_FOLDERS = re.compile(r"/(?:etc/envoy|certificates|mesh)(?=[/ ])")


def configure(folder: Path, listener: str, services: Mapping[str, str]) -> Path:
    """Write the platform's configuration with this machine's folders and addresses in it."""
    for name in ("envoy.yaml", "certificate.yaml", "mesh.yaml"):
        text = (EDGE / name).read_text(encoding="utf-8")
        (folder / name).write_text(_FOLDERS.sub(str(folder), text), encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load((folder / "envoy.yaml").read_text(encoding="utf-8"))
    del config["admin"]
    resources = config["static_resources"]
    resources["listeners"][0]["address"]["socket_address"] = _socket(listener)
    for cluster in resources["clusters"]:
        address = services.get(cluster["name"], f"{LOOPBACK}:1")
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"] = _socket(address)
    (folder / "envoy.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "envoy.yaml"


def _socket(address: str) -> Mapping[str, object]:
    host, port = parted(address)
    return {"address": host, "port_value": port}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    folder, users = tmp_path_factory.mktemp("services"), ["retention"]
    async with postgres_server(folder, users) as postgres, nats_server(folder, users) as nats:
        yield Harness(folder, postgres, nats)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def retention(harness: Harness) -> AsyncIterator[str]:
    running = Retention(harness)
    await running.start()
    yield running.address
    await running.stop()


@pytest.fixture(scope="module")
def descriptors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("descriptors") / "pellicule.binpb"
    subprocess.run([ROOT / "deploy" / "generate-protos", "--descriptors", file], check=True)
    return file


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(
    harness: Harness, retention: str, descriptors: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    folder, port = tmp_path_factory.mktemp("edge"), ReservedPort()
    shutil.copy(descriptors, folder)
    files = harness.authority.issue("transcoder")
    for source, name in ((files.certificate, "tls.crt"), (files.key, "tls.key"), (files.ca, "ca.crt")):
        shutil.copy(source, folder / name)
    config = configure(folder, f"{LOOPBACK}:{port.number}", {"retention": retention, "consent": retention})
    command = Command(
        ENVOY,
        ("--config-path", str(config), "--log-level", "warning", "--base-id", str(port.number), "--concurrency", "1"),
        log=folder / "log",
        directory=folder,
    )
    process = ServerProcess.start(command)
    try:
        async with asyncio.timeout(30):
            while not is_listening(f"{LOOPBACK}:{port.number}"):  # there is no event for it
                assert process.exit_status is None, process.last_words()
                await asyncio.sleep(0.05)
        yield f"https://{LOOPBACK}:{port.number}"
    finally:
        await process.stop()
        port.close()


@contextmanager
def caller(harness: Harness) -> Iterator[urllib3.PoolManager]:
    http = urllib3.PoolManager(ca_certs=str(harness.authority.issue("phone").ca), retries=False)
    try:
        yield http
    finally:
        http.clear()


async def ask(
    harness: Harness, edge: str, method: str, path: str, *, token: str = "", body: object = None
) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    given = {} if body is None else {"json": body}

    def sent() -> tuple[int, Any]:
        with caller(harness) as http:
            response = http.request(method, edge + path, headers=headers, timeout=20, **given)  # type: ignore[arg-type]
            is_json = response.headers.get("content-type", "").startswith("application/json")
            return response.status, json.loads(response.data) if is_json else response.data.decode()

    return await asyncio.to_thread(sent)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_for_anyone_is_json(harness: Harness, edge: str) -> None:
    status, answer = await ask(harness, edge, "GET", "/v1/dataMap?language_code=fr")

    assert status == 200
    assert "stores" in answer


async def test_a_person_s_own_is_json(harness: Harness, edge: str) -> None:
    status, answer = await ask(harness, edge, "GET", "/v1/erasures", token=harness.token("ada"))

    assert (status, answer.get("erasures", [])) == (200, [])


async def test_an_error_is_json_with_its_reason(harness: Harness, edge: str) -> None:
    status, answer = await ask(harness, edge, "GET", "/v1/erasures")

    assert status == 401
    assert [detail["reason"] for detail in answer["details"] if "reason" in detail] == ["TOKEN_MISSING"]


async def test_a_wrong_field_is_named(harness: Harness, edge: str) -> None:
    status, answer = await ask(
        harness, edge, "POST", "/v1/accountDeletions", token=harness.token("ada"), body={"requestId": "no id"}
    )

    assert status == 400
    assert "request_id" in json.dumps(answer)


async def test_an_unknown_path_is_refused(harness: Harness, edge: str) -> None:
    status, _ = await ask(harness, edge, "GET", "/v1/nothing")

    assert status == 404


async def test_an_unknown_parameter_is_refused(harness: Harness, edge: str) -> None:
    status, _ = await ask(harness, edge, "GET", "/v1/dataMap?colour=red")

    assert status == 400


async def test_what_services_say_to_each_other_is_not_there(harness: Harness, edge: str) -> None:
    path = "/pellicule.internal.retention.v1.KeyService/CreateDataKeys"
    status, _ = await ask(harness, edge, "POST", path, token=harness.token("ada"), body={})

    assert status == 404


async def test_a_body_that_is_too_large_is_refused(harness: Harness, edge: str) -> None:
    body = {"requestId": "x" * (2 << 20)}
    status, _ = await ask(harness, edge, "POST", "/v1/accountDeletions", token=harness.token("ada"), body=body)

    assert status == 413


async def test_a_service_that_bears_another_name_is_not_asked(harness: Harness, edge: str) -> None:
    """Where consent should be, retention answers: a good certificate, but not consent's."""
    status, _ = await ask(harness, edge, "GET", "/v1/notices")

    assert status == 503
