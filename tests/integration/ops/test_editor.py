"""Changes by Kubernetes' own client, over HTTP: what is sent, and what each answer means."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy.ops.checks.cluster import ClusterUnreachable, ReadRefused
from deploy.ops.editor import KubernetesEditor
from deploy.ops.errors import OpsError
from deploy.ops.pods import CommandLost, Container, KubernetesPods

STATUS = {"nodes": 200, "secrets": 403, "deployments": 422, "kept": 429, "gone": 404, "broken": 500}


class Api(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, str, object]]

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.command, self.path, self.headers["content-type"], body))
        status = next(status for name, status in STATUS.items() if name in self.path)
        self.send_response(status)
        answer = json.dumps({"message": "said why"}).encode()
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_PATCH()

    def do_GET(self) -> None:
        """Refuse the upgrade of a connection, as for an account that may not run commands."""
        self.send_response(403)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    Api.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def editor(api: str) -> KubernetesEditor:
    from kubernetes import client

    return KubernetesEditor(client.ApiClient(client.Configuration(host=api)))


def test_a_part_of_an_object_is_merged(editor: KubernetesEditor) -> None:
    editor.patch("/api/v1/nodes/one", {"spec": {"unschedulable": None}})

    expected = ("PATCH", "/api/v1/nodes/one", "application/merge-patch+json", {"spec": {"unschedulable": None}})
    assert Api.asked == [expected]


def test_operations_are_sent_as_such(editor: KubernetesEditor) -> None:
    operations = [{"op": "test", "path": "/a", "value": "1"}, {"op": "replace", "path": "/a", "value": "2"}]

    editor.patch("/api/v1/nodes/one", operations)

    assert Api.asked == [("PATCH", "/api/v1/nodes/one", "application/json-patch+json", operations)]


def test_what_the_api_does_not_take_is_said(editor: KubernetesEditor) -> None:
    with pytest.raises(OpsError, match="said why") as refused:
        editor.patch("/apis/apps/v1/namespaces/n/deployments/d", {})
    assert refused.value.reason == "CHANGE_REFUSED"


def test_what_this_account_may_not_change_is_said(editor: KubernetesEditor) -> None:
    with pytest.raises(ReadRefused, match="secrets"):
        editor.patch("/api/v1/namespaces/n/secrets/s", {})


@pytest.mark.parametrize(("pod", "ends"), [("kept", False), ("gone", True)])
def test_a_budget_keeps_a_pod_and_one_that_has_gone_is_gone(editor: KubernetesEditor, pod: str, ends: bool) -> None:
    assert editor.evict("n", pod) is ends
    assert Api.asked[0][3] == {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": "n"},
    }


def test_an_eviction_that_fails_is_no_eviction(editor: KubernetesEditor) -> None:
    with pytest.raises(OpsError, match="said why"):
        editor.evict("n", "broken")


def test_an_api_that_does_not_answer_is_out_of_reach() -> None:
    from kubernetes import client

    configuration = client.Configuration(host="http://127.0.0.1:1")
    configuration.retries = False
    with pytest.raises(ClusterUnreachable):
        KubernetesEditor(client.ApiClient(configuration)).patch("/api/v1/nodes/one", {})


def test_commands_that_this_account_may_not_run_are_refused_and_not_lost(api: str) -> None:
    from kubernetes import client

    pods = KubernetesPods(client.ApiClient(client.Configuration(host=api)))
    with pytest.raises(ReadRefused, match="pods/exec"):
        pods.run(Container("n", "p", "c"), ["true"], 5)


def test_a_command_whose_server_is_away_is_lost() -> None:
    from kubernetes import client

    pods = KubernetesPods(client.ApiClient(client.Configuration(host="http://127.0.0.1:1")))
    with pytest.raises(CommandLost):
        pods.run(Container("n", "p", "c"), ["true"], 5)
