import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from deploy.declarations import SERVICES
from deploy.local.authority import JWKS, RECEIPT_KEY, RECORD_KEY, ROOT_KEY, SUBJECT_KEY, TOKEN_KEY, ensure_credentials
from deploy.local.home import StackHome
from services.chassis.issuer_keys import FileKeys
from services.chassis.tokens import SubjectKey, TokenVerifier, mint_token
from tests.fakes.clock import FakeClock

KEYS = (TOKEN_KEY, JWKS, SUBJECT_KEY, ROOT_KEY, RECEIPT_KEY, RECORD_KEY)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def home(tmp_path: Path, clock: FakeClock) -> StackHome:
    home = StackHome(tmp_path)
    ensure_credentials(home, clock)
    return home


def certificate_of(home: StackHome, service: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(home.certificate(service)[0].read_bytes())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_named_by_its_certificate(home: StackHome, service: str) -> None:
    names = certificate_of(home, service).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [f"spiffe://pellicule/{service}"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost", service]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(text) for text in ("127.0.0.1", "::1")]


def test_certificates_are_issued_by_the_authority(home: StackHome) -> None:
    authority = x509.load_pem_x509_certificate(home.authority.read_bytes())
    certificate_of(home, "ingest").verify_directly_issued_by(authority)


def test_nothing_secret_can_be_read_by_others(home: StackHome) -> None:
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert not [path for path in files if path.stat().st_mode & 0o077]


def test_keys_are_kept(home: StackHome, clock: FakeClock) -> None:
    before = {name: home.key(name).read_bytes() for name in KEYS}
    ensure_credentials(home, clock)
    assert {name: home.key(name).read_bytes() for name in KEYS} == before


async def test_a_certificate_is_renewed_before_it_ends(home: StackHome, clock: FakeClock) -> None:
    before = certificate_of(home, "ingest")
    await clock.advance(timedelta(days=368))
    ensure_credentials(home, clock)
    assert certificate_of(home, "ingest").not_valid_after_utc > before.not_valid_after_utc


async def test_a_certificate_is_kept_while_it_is_good(home: StackHome, clock: FakeClock) -> None:
    before = certificate_of(home, "ingest")
    await clock.advance(timedelta(days=300))
    ensure_credentials(home, clock)
    assert certificate_of(home, "ingest") == before


def test_a_certificate_names_what_is_listened_on(home: StackHome, clock: FakeClock) -> None:
    ensure_credentials(home, clock, ["192.0.2.7", "fd00::7", "photos.example.com"])
    names = certificate_of(home, "ingest").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "ingest", "photos.example.com"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["127.0.0.1", "::1", "192.0.2.7", "fd00::7"]


def test_a_certificate_is_issued_anew_when_other_names_are_wanted(home: StackHome, clock: FakeClock) -> None:
    named = ["192.0.2.7"]
    before = certificate_of(home, "ingest")
    ensure_credentials(home, clock, named)
    after = certificate_of(home, "ingest")
    ensure_credentials(home, clock, named)
    assert before != after == certificate_of(home, "ingest")


async def test_services_accept_the_stacks_tokens(home: StackHome, clock: FakeClock) -> None:
    token = mint_token(
        home.key(TOKEN_KEY).read_bytes(),
        issuer="issuer",
        audience="audience",
        subject="ann",
        ttl=timedelta(minutes=1),
        clock=clock,
    )
    verifier = TokenVerifier(FileKeys(home.key(JWKS)), issuer="issuer", audience="audience", clock=clock)
    assert (await verifier.verify(token)).subject == "ann"


def test_the_subject_key_is_what_services_read(home: StackHome) -> None:
    assert len(SubjectKey.read(home.key(SUBJECT_KEY)).key) == 32


def test_the_key_of_receipts_is_published(home: StackHome) -> None:
    private = load_pem_private_key(home.key(RECEIPT_KEY).read_bytes(), None)
    assert load_pem_public_key(home.receipt_key.read_bytes()) == private.public_key()
