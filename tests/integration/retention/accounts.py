"""Service accounts of a cluster, whose tokens OpenBao has reviewed by an API server."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration.retention.openbao import NAME, OpenBao

_NAMESPACE = "photos"


class Account:
    """A service account, and what the API server says of its tokens."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.refuses = False
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._tokens: set[str] = set()

    def jwt(self) -> str:
        """Return a token of the account, as Kubernetes writes one into a pod."""
        now = int(time.time())
        account = {"name": self.name, "uid": "uid-of-the-account"}
        claims = {
            "iss": "https://kubernetes.default.svc",
            "sub": f"system:serviceaccount:{_NAMESPACE}:{self.name}",
            "aud": ["https://kubernetes.default.svc"],
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": str(uuid4()),
            "kubernetes.io": {"namespace": _NAMESPACE, "serviceaccount": account},
        }
        token = jwt.encode(claims, self._key, algorithm="ES256")
        self._tokens.add(token)
        return token

    def review(self, token: str) -> dict[str, object]:
        """Return what a TokenReview says."""
        if self.refuses or token not in self._tokens:
            return {"authenticated": False, "error": "invalid token"}
        user = {"username": f"system:serviceaccount:{_NAMESPACE}:{self.name}", "uid": "uid-of-the-account"}
        return {"authenticated": True, "user": {**user, "groups": ["system:serviceaccounts"]}}


@contextmanager
def account_of(bao: OpenBao, name: str) -> Iterator[Account]:
    """Let an account log in to a server under the policy of retention for the time of the block."""
    account = Account(name)
    with _reviewing(account) as url:
        bao.admin.sys.enable_auth_method("kubernetes")
        bao.admin.write_data(
            "auth/kubernetes/config",
            data={
                "kubernetes_host": url,
                "kubernetes_ca_cert": bao.files.ca.read_text(),
                "token_reviewer_jwt": account.jwt(),
                "disable_local_ca_jwt": True,
            },
        )
        bao.admin.auth.kubernetes.create_role(name, [name], [_NAMESPACE], ttl="1h", policies=[NAME])
        try:
            yield account
        finally:
            bao.admin.sys.disable_auth_method("kubernetes")


@contextmanager
def _reviewing(account: Account) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["spec"]
            status = {**account.review(asked["token"]), "audiences": asked.get("audiences", [])}
            body = json.dumps(
                {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
            ).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
