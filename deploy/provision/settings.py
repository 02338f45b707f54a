"""Settings of provisioning: where the servers are, and where the Secrets are mounted."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.provision.object_store import Endpoint


class ProvisionSettings(BaseSettings):
    """What the environment says, each as `PELLICULE_PROVISION_<NAME>`; a server without an address is left out."""

    model_config = SettingsConfigDict(env_prefix="PELLICULE_PROVISION_", frozen=True, extra="ignore")

    credentials_dir: Path | None = None
    """Folders with the Secrets of each service, and of the administrator."""
    s3_endpoint: Annotated[str, StringConstraints(pattern=r"^(https?://[^/]+)?$")] = ""
    """`https://host:port` of the object store."""
    s3_region: str = "us-east-1"
    s3_ca_file: Path | None = None
    """Certificates that the object store is checked against; absent means those of public authorities."""
    journal_s3_endpoint: Annotated[str, StringConstraints(pattern=r"^(https?://[^/]+)?$")] = ""
    """`https://host:port` of the journal's object store; empty where it is the same one."""
    journal_s3_region: str = "us-east-1"
    journal_s3_ca_file: Path | None = None
    """Certificates that the journal's object store is checked against."""
    s3_identities: Literal["minio", "documents"] = "minio"
    """Who makes identities and policies: this Job by MinIO's administration, or an operator out of the documents."""
    bucket_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{0,40}$")] = ""
    """What the names of all buckets begin with, where a store has those of others as well."""
    nats_url: Annotated[str, StringConstraints(pattern=r"^((nats|tls)://[^/@]+)?$")] = ""
    """`tls://host:4222` of the bus, without a user."""
    nats_ca_file: Path | None = None
    """Certificates that the bus is checked against; absent means those of public authorities."""

    @property
    def object_store(self) -> Endpoint:
        """Where the object store is."""
        return Endpoint(self.s3_endpoint, self.s3_region, self.s3_ca_file)

    @property
    def journal_store(self) -> Endpoint | None:
        """Where the journal's object store is, if that is another one."""
        if not self.journal_s3_endpoint:
            return None
        return Endpoint(self.journal_s3_endpoint, self.journal_s3_region, self.journal_s3_ca_file)
