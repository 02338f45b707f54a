"""Credentials out of existing Secrets: a folder for each that has them, as Secrets are mounted, or variables."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deploy.provision.errors import ProvisionError
from deploy.provision.object_store import Identity

ADMINISTRATOR = "administrator"
_PREFIX = "PELLICULE_PROVISION"


class Credentials:
    """Secrets by who has them and what they open.

    Args:
        folder: Has `NAME/KEY`, such as `ingest/database-password`; None where there are variables alone.
        environment: Has `PELLICULE_PROVISION_NAME_KEY`, which goes before a file.
    """

    def __init__(self, folder: Path | None, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    def find(self, name: str, key: str) -> str | None:
        """Return a secret, without the end of line that an editor leaves."""
        if (given := self._environment.get(_variable(name, key))) is not None:
            return given
        file = self._file(name, key)
        return file.read_text(encoding="utf-8").rstrip("\r\n") if file is not None and file.is_file() else None

    def get(self, name: str, key: str) -> str:
        """Return a secret.

        Raises:
            ProvisionError: SECRET_MISSING.
        """
        found = self.find(name, key)
        if not found:
            raise ProvisionError.without(name, key, self._file(name, key), _variable(name, key))
        return found

    def password(self, name: str, server: str) -> str:
        """Return the password of a service at a server: by itself, or out of the URL that the service is given.

        Raises:
            ProvisionError: SECRET_MISSING.
        """
        url = self.find(name, f"{server}-url")
        return self.get(name, f"{server}-password") if url is None else unquote(urlsplit(url).password or "")

    def has_identity(self, name: str, store: str) -> bool:
        """Tell whether there are keys of an object store, `s3` or the `journal`'s."""
        return self.find(name, f"{store}-secret-key") is not None

    def identity(self, name: str, store: str) -> Identity:
        """Return the keys of an object store; the access key is the name unless another is given.

        Raises:
            ProvisionError: SECRET_MISSING.
        """
        return Identity(self.find(name, f"{store}-access-key") or name, self.get(name, f"{store}-secret-key"))

    def _file(self, name: str, key: str) -> Path | None:
        return None if self._folder is None else self._folder / name / key


def _variable(name: str, key: str) -> str:
    return "_".join((_PREFIX, name, key)).replace("-", "_").upper()
