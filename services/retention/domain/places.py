"""Places where keys of epochs are kept by another server."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TransitEngine:
    """The transit engine of OpenBao or Vault.

    Attributes:
        url: Of the server.
        mount: Of the engine.
        namespace: Empty for the root's.
        ca_file: Authorities that the server's certificate is checked against; None for the system's.
        prefix: What names of keys begin with; no other installation has keys of that name there.
    """

    url: str
    mount: str
    namespace: str = ""
    ca_file: Path | None = None
    prefix: str = "pellicule"

    def __str__(self) -> str:
        namespace = f"{self.namespace}/" if self.namespace else ""
        return f"the transit engine {namespace}{self.mount} of {self.url}"


@dataclass(frozen=True)
class TransitLogin:
    """How a process is known to the server.

    Attributes:
        token_file: A token that an agent renews; None where the pod's service account logs in.
        role: Its role there.
        mount: Of the server's way to log in for service accounts.
        jwt_file: Token of the account, which Kubernetes renews.
    """

    token_file: Path | None
    role: str
    mount: str
    jwt_file: Path
