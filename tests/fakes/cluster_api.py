"""A small API server of Kubernetes over HTTP: Secrets with versions, which it changes only by the one that it has."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Document = dict[str, Any]


class ClusterApi:
    """What the server has.

    Attributes:
        secrets: By path.
        refuses: Status of every answer while it is set.
        changed: How often a Secret was changed.
        overtaken: Called before a change, as if another process came first.
    """

    def __init__(self) -> None:
        self.secrets: dict[str, Document] = {}
        self.refuses = 0
        self.changed = 0
        self.overtaken: list[Document] = []
        self.url = ""
        self._lock = threading.Lock()
        self._version = 1

    def make(self, namespace: str, name: str) -> str:
        """Make an empty Secret, as an operator does, and return its path."""
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        metadata = {"name": name, "namespace": namespace, "labels": {"of": "an operator"}}
        self._put(path, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata})
        return path

    def get(self, path: str) -> tuple[int, Document]:
        if self.refuses:
            return self.refuses, _status(self.refuses)
        found = self.secrets.get(path)
        return (200, found) if found else (404, _status(404))

    def put(self, path: str, document: Document) -> tuple[int, Document]:
        with self._lock:
            if self.refuses:
                return self.refuses, _status(self.refuses)
            if self.overtaken:
                self._put(path, {**self.secrets[path], **self.overtaken.pop()})
            present = self.secrets[path]["metadata"]["resourceVersion"]
            if document["metadata"].get("resourceVersion") != present:
                return 409, _status(409)
            self._put(path, document)
            self.changed += 1
            return 200, self.secrets[path]

    def _put(self, path: str, document: Document) -> None:
        self._version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self._version)}
        self.secrets[path] = {**document, "metadata": metadata}


def _status(code: int) -> Document:
    return {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code}


@contextmanager
def cluster_api() -> Iterator[ClusterApi]:
    """Serve on loopback for the time of the block."""
    api = ClusterApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(*api.get(self.path))

        def do_PUT(self) -> None:
            self._answer(*api.put(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def _answer(self, code: int, document: Document) -> None:
            body = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield api
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
