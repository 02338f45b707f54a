"""Settings of the smoke test: where the services are, and who its person is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+:\d{1,5}$")]
"""`https://host:port`; `http://` where an ingress of the cluster ends TLS."""


class SmokeSettings(BaseSettings):
    """What the environment says, each as `SMOKE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="SMOKE_", frozen=True, extra="ignore")

    consent: Address
    ingest: Address
    analysis: Address
    suggestion: Address
    retention: Address
    ca_file: Path
    """Authority that the services' certificates are checked against."""
    token_file: Path | None = None
    """A person's token; this or `issuer_key_file`."""
    issuer_key_file: Path | None = None
    """Ed25519 private key (PEM) of an issuer whose tokens the services take: a person is made with it."""
    issuer: str = "pellicule-local"
    audience: str = "pellicule"
    region: str = "US-CA"
    """Where the person says that they are, as ISO 3166 has it: what they grant must be offered there."""
    patience_seconds: Annotated[float, Field(gt=0)] = 300.0
    """Seconds until an idea must be there."""

    @model_validator(mode="after")
    def one_person(self) -> Self:
        """Refuse two ways to be somebody, and none."""
        if (self.token_file is None) == (self.issuer_key_file is None):
            raise ValueError("set one of SMOKE_TOKEN_FILE and SMOKE_ISSUER_KEY_FILE")
        return self

    @property
    def addresses(self) -> Mapping[str, str]:
        """The address of each service."""
        names = ("consent", "ingest", "analysis", "suggestion", "retention")
        return {name: str(getattr(self, name)) for name in names}
