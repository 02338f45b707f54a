import asyncio
import http.client
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from services.chassis.clock import SystemClock
from services.chassis.errors import DependencyUnavailable, TokenExpired, TokenInvalid
from services.chassis.issuer_keys import COOLDOWN_SECONDS, FRESH_SECONDS, STALE_SECONDS, UrlKeys
from services.chassis.tokens import TokenVerifier
from tests.fakes.clock import FakeClock
from tests.fakes.ports import free_port

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def provider() -> AsyncIterator[str]:
    """Run an OpenID Connect provider in a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(answers, port):  # noqa: ASYNC110  # a server that has yet to start
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


def answers(port: int) -> bool:
    try:
        return call(port, "GET", "/jwks").status == 200
    except OSError:
        return False


def call(port: int, method: str, path: str, form: dict[str, str] | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, urlencode(form or {}), FORM)
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def sign_in(issuer: str, person: str, client: str) -> str:
    """Return the ID token that the authorization code flow ends with (OpenID Connect Core 1.0, section 3.1)."""
    port = urlsplit(issuer).port or 0
    asked = {"client_id": client, "redirect_uri": "http://localhost/back", "response_type": "code", "scope": "openid"}
    sent_back = call(port, "POST", f"/oauth2/authorize?{urlencode(asked)}", {"sub": person}).headers["location"]
    code = parse_qs(urlsplit(sent_back).query)["code"][0]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost/back"}
    answer = call(port, "POST", "/oauth2/token", {**grant, "client_id": client, "client_secret": "of no matter"})
    return str(json.loads(answer.body)["id_token"])  # type: ignore[attr-defined]


def verifier(url: str, clock: SystemClock | FakeClock, issuer: str = "issuer") -> TokenVerifier:
    return TokenVerifier(UrlKeys(url, clock), issuer=issuer, audience="pellicule", clock=clock)


async def test_a_person_of_an_openid_connect_provider_is_known_by_its_token(provider: str) -> None:
    keys = verifier(f"{provider}/jwks", SystemClock(), issuer=provider)
    claims = await keys.verify(await asyncio.to_thread(sign_in, provider, "ada", "pellicule"))
    assert (claims.issuer, claims.subject, claims.role) == (provider, "ada", None)


async def test_a_token_of_the_provider_for_another_client_is_refused(provider: str) -> None:
    token = await asyncio.to_thread(sign_in, provider, "ada", "another")
    with pytest.raises(TokenInvalid) as caught:
        await verifier(f"{provider}/jwks", SystemClock(), issuer=provider).verify(token)
    assert caught.value.metadata == {"problem": "audience"}


class KeyServer(ThreadingHTTPServer):
    """A URL with a JWKS that a test changes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), KeyHandler)
        self.content = b'{"keys": []}'
        self.status = 200
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks"

    def publish(self, *keys: dict[str, object]) -> None:
        self.content = json.dumps({"keys": keys}).encode()


class KeyHandler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@contextmanager
def key_server() -> Iterator[KeyServer]:
    with KeyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
RIVEST = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505  # what must be refused


def public(key: object, key_id: str) -> dict[str, object]:
    match key:
        case ec.EllipticCurvePrivateKey():
            jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case rsa.RSAPrivateKey():
            jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case _:
            raise TypeError(key)
    return {**jwk, "kid": key_id}


def token(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    algorithm: str,
    key_id: str,
    clock: FakeClock,
) -> str:
    ends = clock.now() + timedelta(days=1)
    claims = {"iss": "issuer", "aud": "pellicule", "sub": "ada", "exp": ends}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


async def test_the_signatures_of_the_three_kinds_of_key_are_taken(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "e"), public(RIVEST, "r"), public(EDWARDS, "d"))
    checks = verifier(server.url, clock)
    for key, algorithm, key_id in ((ELLIPTIC, "ES256", "e"), (RIVEST, "RS256", "r"), (EDWARDS, "EdDSA", "d")):
        assert (await checks.verify(token(key, algorithm, key_id, clock))).subject == "ada"
    assert server.asked == 1


async def test_a_key_is_good_for_its_own_kind_of_signature_alone(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "e"), public(RIVEST, "r"))
    for key, algorithm, key_id in ((ELLIPTIC, "ES256", "r"), (RIVEST, "RS256", "e"), (RIVEST, "PS256", "r")):
        with pytest.raises(TokenInvalid):
            await verifier(server.url, clock).verify(token(key, algorithm, key_id, clock))


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
async def test_a_key_that_is_too_short_is_refused(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(SHORT, "s"))
    with pytest.raises(TokenInvalid):
        await verifier(server.url, clock).verify(token(SHORT, "RS256", "s", clock))


async def test_a_new_key_is_fetched_when_a_token_names_it(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "old"))
    checks = verifier(server.url, clock)
    await checks.verify(token(ELLIPTIC, "ES256", "old", clock))
    server.publish(public(EDWARDS, "new"))
    await clock.advance(timedelta(seconds=COOLDOWN_SECONDS))
    assert (await checks.verify(token(EDWARDS, "EdDSA", "new", clock))).subject == "ada"


async def test_a_key_that_was_taken_out_ends_in_time(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "old"))
    checks = verifier(server.url, clock)
    await checks.verify(token(ELLIPTIC, "ES256", "old", clock))
    server.publish(public(EDWARDS, "new"))
    await clock.advance(timedelta(seconds=FRESH_SECONDS))
    with pytest.raises(TokenInvalid):
        await checks.verify(token(ELLIPTIC, "ES256", "old", clock))


async def test_tokens_of_unknown_keys_do_not_make_it_ask_again_and_again(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "one"))
    checks = verifier(server.url, clock)
    tokens = [token(EDWARDS, "EdDSA", f"unknown-{number}", clock) for number in range(50)]
    outcomes = await asyncio.gather(*map(checks.verify, tokens), return_exceptions=True)
    assert all(isinstance(outcome, TokenInvalid) for outcome in outcomes)
    assert server.asked == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"keys": [{"kty": "oct", "k": "AA"}]}'])
async def test_keys_are_kept_while_their_url_fails_and_for_an_hour_at_most(
    server: KeyServer, clock: FakeClock, content: bytes
) -> None:
    server.publish(public(ELLIPTIC, "one"))
    checks, good = verifier(server.url, clock), token(ELLIPTIC, "ES256", "one", clock)
    await checks.verify(good)
    server.content, server.status = content, 503 if not content else 200
    await clock.advance(timedelta(seconds=FRESH_SECONDS))
    assert (await checks.verify(good)).subject == "ada"
    await clock.advance(timedelta(seconds=STALE_SECONDS))
    with pytest.raises(DependencyUnavailable):
        await checks.verify(good)


async def test_a_provider_that_was_never_reached_is_an_outage_and_no_wrong_token(clock: FakeClock) -> None:
    with key_server() as gone:
        url = gone.url
    with pytest.raises(DependencyUnavailable):
        await verifier(url, clock).verify(token(ELLIPTIC, "ES256", "one", clock))


async def test_a_token_of_a_provider_ends(server: KeyServer, clock: FakeClock) -> None:
    server.publish(public(ELLIPTIC, "one"))
    ended = token(ELLIPTIC, "ES256", "one", clock)
    await clock.advance(timedelta(days=2))
    with pytest.raises(TokenExpired):
        await verifier(server.url, clock).verify(ended)
