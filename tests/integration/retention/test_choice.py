"""Which keeper of the keys of epochs a process takes, by its settings."""

from pathlib import Path

import pytest
from kubernetes.config import incluster_config
from pydantic import SecretStr

from services.chassis.clock import SystemClock
from services.retention.epochs.choice import open_epoch_keys
from services.retention.epochs.epoch_files import EpochFiles, read_root_key
from services.retention.epochs.secret_epochs import SecretEpochs
from services.retention.epochs.transit_epochs import TransitEpochs
from services.retention.errors import KeysUnavailable, RootKeyUnusable
from services.retention.settings import Settings
from tests.fakes.certificates import CertificateFiles, FakeAuthority

FILE = Path("/nowhere")


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return FakeAuthority(tmp_path).issue("retention")


@pytest.fixture
def root_key(tmp_path: Path) -> Path:
    file = tmp_path / "root.key"
    file.touch(mode=0o600)
    file.write_text("00" * 32)
    return file


def settings(**given: object) -> Settings:
    return Settings(
        public_address="127.0.0.1:0",
        internal_address="127.0.0.1:0",
        tls_ca_file=FILE,
        tls_cert_file=FILE,
        tls_key_file=FILE,
        token_jwks_file=FILE,
        subject_key_file=FILE,
        database_url=SecretStr("postgresql://"),
        nats_url=SecretStr("nats://"),
        journal_dir=FILE,
        **given,  # type: ignore[arg-type]
    )


async def test_a_folder_unless_told_otherwise(root_key: Path, tmp_path: Path) -> None:
    given = settings(root_key_file=root_key, epoch_dir=tmp_path / "epochs")
    async with open_epoch_keys(given, SystemClock()) as keys:
        assert isinstance(keys, EpochFiles)


async def test_a_transit_engine(files: CertificateFiles) -> None:
    given = settings(
        epochs="transit",
        transit_url="https://keys.example:8200",
        transit_namespace="photos",
        transit_role="retention",
        transit_ca_file=files.ca,
    )
    async with open_epoch_keys(given, SystemClock()) as keys:
        assert isinstance(keys, TransitEpochs)
        assert "the transit engine photos/transit of https://keys.example:8200" in keys.place


async def test_a_secret_of_the_cluster_that_the_process_is_in(
    root_key: Path, files: CertificateFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("of the account")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(files.ca))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "9")
    given = settings(
        epochs="kubernetes-secret", epochs_namespace="photos", epochs_secret="epochs", root_key_file=root_key
    )
    async with open_epoch_keys(given, SystemClock()) as keys:
        assert isinstance(keys, SecretEpochs)
        with pytest.raises(KeysUnavailable, match="the Secret epochs of the namespace photos"):
            await keys.look()


def test_a_root_key_that_is_mounted_for_this_group_is_read(root_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root_key.chmod(0o440)
    with pytest.raises(RootKeyUnusable):
        read_root_key(root_key)
    monkeypatch.setattr("os.geteuid", lambda: 65532)
    assert len(read_root_key(root_key)) == 32
    for mode in (0o444, 0o460):
        root_key.chmod(mode)
        with pytest.raises(RootKeyUnusable, match="chmod 0600"):
            read_root_key(root_key)
