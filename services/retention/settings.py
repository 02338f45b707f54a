"""Settings of the retention service."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.chassis.settings import ProcessSettings
from services.journal.settings import JournalSettings
from services.retention.domain.places import TransitEngine, TransitLogin

TRANSIT_URL = r"^(|https://[^\s/@]+/?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?/?)$"
"""What it derives would travel in clear elsewhere."""


class Settings(ProcessSettings, JournalSettings):
    """Read once from the environment, prefix `PELLICULE_`."""

    epochs: Literal["directory", "kubernetes-secret", "transit"] = "directory"
    """Where the keys of epochs are: a folder, a Secret of Kubernetes, or a transit engine of OpenBao or Vault."""
    root_key_file: Path | None = None
    """32 random bytes in hex, for its owner alone: seals the keys of epochs in a folder or a Secret."""
    epoch_dir: Path | None = None
    """The folder; shared by all processes of this service, and part of no backup."""
    epochs_namespace: str = ""
    """Namespace of the Secret."""
    epochs_secret: str = ""
    """Name of the Secret: made empty beforehand, and part of no backup."""
    transit_url: Annotated[str, StringConstraints(pattern=TRANSIT_URL)] = ""
    """The server: `https://host:port`, or `http://` on loopback."""
    transit_ca_file: Path | None = None
    """Certificates that the server is checked against; absent means the system's."""
    transit_mount: Annotated[str, StringConstraints(pattern=r"^[-\w/]+$")] = "transit"
    """Where its engine is mounted."""
    transit_namespace: str = ""
    """Namespace that the engine is in; empty for the root's."""
    transit_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9]*$")] = "pellicule"
    """What names of keys there begin with: another one for each installation."""
    transit_token_file: Path | None = None
    """A token that an agent renews in a file; or `transit_role`."""
    transit_role: str = ""
    """Role under which the pod's service account logs in."""
    transit_auth_mount: Annotated[str, StringConstraints(pattern=r"^[-\w/]+$")] = "kubernetes"
    """Where the server's way to log in for service accounts is mounted."""
    transit_jwt_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    """Token of the service account, which Kubernetes renews."""
    lost_epochs: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2},?)*$")] = ""
    """Epochs that an operator gives up, their days separated by commas: what they sealed is deleted."""
    longest_retention_days: Annotated[int, Field(ge=1, le=30)] = 30
    """The longest time that anything may be kept."""

    @property
    def transit_engine(self) -> TransitEngine:
        """Where the keys are, if they are in a transit engine."""
        where = (self.transit_url, self.transit_mount, self.transit_namespace)
        return TransitEngine(*where, self.transit_ca_file, self.transit_prefix)

    @property
    def transit_login(self) -> TransitLogin:
        """How the process is known there."""
        account = (self.transit_role, self.transit_auth_mount, self.transit_jwt_file)
        return TransitLogin(self.transit_token_file, *account)

    @model_validator(mode="after")
    def _what_the_keys_need(self) -> Self:
        needs: dict[str, dict[str, object]] = {
            "directory": {"EPOCH_DIR": self.epoch_dir, "ROOT_KEY_FILE": self.root_key_file},
            "kubernetes-secret": {
                "EPOCHS_NAMESPACE": self.epochs_namespace,
                "EPOCHS_SECRET": self.epochs_secret,
                "ROOT_KEY_FILE": self.root_key_file,
            },
            "transit": {
                "TRANSIT_URL": self.transit_url,
                "TRANSIT_ROLE or PELLICULE_TRANSIT_TOKEN_FILE": self.transit_role or self.transit_token_file,
            },
        }
        missing = [f"PELLICULE_{name}" for name, value in needs[self.epochs].items() if not value]
        if missing:
            raise ValueError(f"PELLICULE_EPOCHS={self.epochs} needs {', '.join(missing)}")
        return self
