"""Kubernetes' own client and the command on it, over HTTP: lists, what is missing, what may not be read, no server."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from deploy.ops.checks.cluster import KubernetesCluster, ReadRefused
from tests.contract.products import ROOT

NODES = {"items": [{"metadata": {"name": "one"}}, {"metadata": {"name": "two"}}]}
ANSWERS = {
    "/version": (200, {"major": "1", "minor": "34"}),
    "/api/v1/nodes": (200, NODES),
    "/api/v1/secrets": (403, {"reason": "Forbidden"}),
}


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        status, answer = ANSWERS.get(asked.path, (404, {"reason": "NotFound"}))
        if parse_qs(asked.query).get("labelSelector") == ["name=none"]:
            answer = {"items": []}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def kubeconfig(folder: Path, server: str) -> Path:
    file = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": {"token": "t"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture
def cluster(api: str) -> KubernetesCluster:
    from kubernetes import client

    return KubernetesCluster(client.ApiClient(client.Configuration(host=api)))


def test_a_list_is_read(cluster: KubernetesCluster) -> None:
    assert [each["metadata"]["name"] for each in cluster.items("/api/v1/nodes")] == ["one", "two"]


def test_labels_are_asked_for(cluster: KubernetesCluster) -> None:
    assert cluster.items("/api/v1/nodes", "name=none") == []


def test_a_kind_that_is_not_there_has_no_objects(cluster: KubernetesCluster) -> None:
    assert cluster.items("/apis/none.example.org/v1/things") == []


def test_an_object_that_is_not_there_is_none(cluster: KubernetesCluster) -> None:
    assert cluster.one("/api/v1/namespaces/none") is None


def test_what_may_not_be_read_is_said(cluster: KubernetesCluster) -> None:
    with pytest.raises(ReadRefused, match="secrets"):
        cluster.items("/api/v1/secrets")


def check(kubeconfig: Path, *options: str) -> tuple[int, list[dict[str, str | None]]]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.ops.checks", "--json", *options],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_command_says_what_is_missing_and_fails(api: str, tmp_path: Path) -> None:
    status, lines = check(kubeconfig(tmp_path, api), "--with", "cloudnative-pg")

    wrong = {line["name"]: line["remedy"] for line in lines if line["verdict"] == "wrong"}
    assert status == 1
    assert "install edge" in (wrong["edge"] or "")
    assert "install cloudnative-pg" in (wrong["cloudnative-pg"] or "")
    assert {line["name"]: line["verdict"] for line in lines}["kubernetes: version"] == "right"


def test_the_command_says_that_there_is_no_cluster(tmp_path: Path) -> None:
    status, (line,) = check(kubeconfig(tmp_path, "http://127.0.0.1:1"))

    assert (status, line["verdict"]) == (3, "unknown")
    assert "KUBECONFIG" in (line["remedy"] or "")


def test_the_command_says_that_there_is_no_such_context(api: str, tmp_path: Path) -> None:
    status, (line,) = check(kubeconfig(tmp_path, api), "--context", "none")

    assert (status, line["verdict"]) == (3, "unknown")
