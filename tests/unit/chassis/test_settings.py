from pathlib import Path

import pytest
from pydantic import ValidationError

from services.chassis.roles import Role
from services.chassis.settings import (
    BusSettings,
    DatabaseSettings,
    ObjectStoreSettings,
    RetentionClientSettings,
    ServiceSettings,
    WorkingProcessSettings,
)

ENVIRONMENT = {
    "PELLICULE_PUBLIC_ADDRESS": "127.0.0.1:50051",
    "PELLICULE_INTERNAL_ADDRESS": "127.0.0.1:0",
    "PELLICULE_TLS_CA_FILE": "/tls/ca.pem",
    "PELLICULE_TLS_CERT_FILE": "/tls/cert.pem",
    "PELLICULE_TLS_KEY_FILE": "/tls/key.pem",
    "PELLICULE_TOKEN_JWKS_FILE": "/tls/jwks.json",
    "PELLICULE_SUBJECT_KEY_FILE": "/tls/subject.key",
    "PELLICULE_DATABASE_URL": "postgresql://ingest:db-secret@localhost:5432/ingest",
    "PELLICULE_NATS_URL": "nats://ingest:nats-secret@localhost:4222",
    "PELLICULE_S3_ENDPOINT": "http://localhost:8333",
    "PELLICULE_S3_ACCESS_KEY": "ingest",
    "PELLICULE_S3_SECRET_KEY": "s3-secret",
    "PELLICULE_RETENTION_TARGET": "localhost:50061",
}


class Settings(ServiceSettings, DatabaseSettings, BusSettings, ObjectStoreSettings, RetentionClientSettings):
    pass


class Working(WorkingProcessSettings):
    pass


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def read() -> Settings:
    return Settings()


def test_a_service_composes_its_settings_from_the_parts_it_needs() -> None:
    settings = read()
    assert settings.public_address == "127.0.0.1:50051"
    assert settings.tls_ca_file == Path("/tls/ca.pem")
    assert settings.database_url.get_secret_value().endswith("/ingest")
    assert settings.retention_target == "localhost:50061"


def test_what_the_environment_leaves_out_has_a_default() -> None:
    settings = read()
    assert (settings.token_issuer, settings.token_audience) == ("pellicule-local", "pellicule")
    assert (settings.otlp_endpoint, settings.log_level) == (None, "INFO")


def test_settings_do_not_show_their_secrets() -> None:
    assert "secret@" not in repr(read())
    assert "s3-secret" not in repr(read())


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        read().log_level = "DEBUG"


@pytest.mark.parametrize("address", ["localhost", ":", "localhost:x", ""])
def test_an_address_without_a_port_is_named(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PELLICULE_PUBLIC_ADDRESS", address)
    with pytest.raises(ValidationError, match="public_address"):
        read()


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLICULE_NATS_URL")
    with pytest.raises(ValidationError, match="nats_url"):
        read()


@pytest.mark.parametrize("url", ["https://issuer.example/jwks", "http://127.0.0.1:8080/jwks", "http://[::1]/jwks"])
def test_the_issuers_keys_may_be_at_a_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("PELLICULE_TOKEN_JWKS_FILE")
    monkeypatch.setenv("PELLICULE_TOKEN_JWKS_URL", url)
    assert Settings().token_jwks_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/jwks",
        "http://127.0.0.1.example/",
        "http://localhost:a@issuer.example/jwks",
        "file:///jwks",
        "",
    ],
)
def test_the_issuers_keys_do_not_travel_in_clear(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("PELLICULE_TOKEN_JWKS_FILE")
    monkeypatch.setenv("PELLICULE_TOKEN_JWKS_URL", url)
    with pytest.raises(ValidationError, match="token_jwks_url"):
        Settings()


def test_the_issuers_keys_have_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLICULE_TOKEN_JWKS_URL", "https://issuer.example/jwks")
    with pytest.raises(ValidationError, match="set one of"):
        Settings()
    monkeypatch.delenv("PELLICULE_TOKEN_JWKS_URL")
    monkeypatch.delenv("PELLICULE_TOKEN_JWKS_FILE")
    with pytest.raises(ValidationError, match="set one of"):
        Settings()


def test_a_process_has_all_roles_unless_it_is_told() -> None:
    assert read().roles == set(Role) - {Role.WORKER}
    assert Working().roles == set(Role)
    assert not Working().works_apart


@pytest.mark.parametrize(
    ("roles", "needed"), [("public,upkeep", "PELLICULE_PUBLIC_ADDRESS"), ("internal", "PELLICULE_INTERNAL_ADDRESS")]
)
def test_a_listener_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch, roles: str, needed: str) -> None:
    monkeypatch.setenv("PELLICULE_ROLES", roles)
    read()
    monkeypatch.delenv(needed)
    with pytest.raises(ValidationError, match=f"set {needed}.*leave .* out of PELLICULE_ROLES"):
        read()


@pytest.mark.parametrize("roles", ["prepare", "upkeep"])
def test_a_process_without_listeners_needs_no_address_and_knows_no_caller(
    monkeypatch: pytest.MonkeyPatch, roles: str
) -> None:
    monkeypatch.setenv("PELLICULE_ROLES", roles)
    for name in ("PUBLIC_ADDRESS", "INTERNAL_ADDRESS", "TOKEN_JWKS_FILE", "SUBJECT_KEY_FILE"):
        monkeypatch.delenv(f"PELLICULE_{name}")
    assert read().roles == {Role(roles)}


def test_a_process_that_answers_calls_knows_its_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PELLICULE_SUBJECT_KEY_FILE")
    with pytest.raises(ValidationError, match="set PELLICULE_SUBJECT_KEY_FILE"):
        read()


def test_a_role_that_the_service_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLICULE_ROLES", "worker")
    with pytest.raises(ValidationError, match="'worker' is no role of this service"):
        read()


@pytest.mark.parametrize(
    ("roles", "apart"), [("upkeep", True), ("worker", True), ("upkeep,worker", False), ("public,internal", False)]
)
def test_hints_go_between_processes_that_share_the_work(
    monkeypatch: pytest.MonkeyPatch, roles: str, apart: bool
) -> None:
    monkeypatch.setenv("PELLICULE_ROLES", roles)
    assert Working().works_apart == apart


def test_the_public_listener_speaks_tls_unless_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read().public_tls
    monkeypatch.setenv("PELLICULE_PUBLIC_TLS", "")
    with pytest.raises(ValidationError, match="public_tls"):
        read()
    monkeypatch.setenv("PELLICULE_PUBLIC_TLS", "false")
    assert not read().public_tls
