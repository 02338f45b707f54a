"""Pictures go to an inference server on loopback, or under TLS."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.analysis.settings import Settings

FILE = Path("/tls/file.pem")


def settings(address: str, ca: Path | None = None) -> Settings:
    return Settings(
        public_address="127.0.0.1:0",
        internal_address="127.0.0.1:0",
        tls_ca_file=FILE,
        tls_cert_file=FILE,
        tls_key_file=FILE,
        token_jwks_file=FILE,
        subject_key_file=FILE,
        database_url="postgresql://",
        nats_url="nats://",
        s3_endpoint="http://127.0.0.1:1",
        s3_access_key="key",
        s3_secret_key="key",
        retention_target="127.0.0.1:1",
        journal_dir=FILE,
        triton_address=address,
        triton_ca_file=ca,
    )


@pytest.mark.parametrize("address", ["127.0.0.1:8001", "localhost:8001", "[::1]:8001"])
def test_loopback_needs_no_tls(address: str) -> None:
    assert settings(address).triton_ca_file is None


@pytest.mark.parametrize("address", ["triton:8001", "10.0.0.7:8001", "127.0.0.1.example:8001"])
def test_another_machine_needs_tls(address: str) -> None:
    with pytest.raises(ValidationError, match="set PELLICULE_TRITON_CA_FILE"):
        settings(address)


def test_another_machine_is_known_by_its_authority() -> None:
    assert settings("triton:8001", FILE).triton_ca_file == FILE
