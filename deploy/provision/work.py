"""Work of provisioning: which servers, in which order, by which credentials."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.declarations import SERVICES
from deploy.provision.bus_check import BusUsers
from deploy.provision.credentials import ADMINISTRATOR, Credentials
from deploy.provision.differences import Difference
from deploy.provision.errors import ProvisionError
from deploy.provision.postgres import RolesAndDatabases
from deploy.provision.settings import ProvisionSettings
from deploy.provision.stores import Store, stores


@dataclass(frozen=True)
class Work:
    """What one run looks at.

    Attributes:
        settings: Where the servers are.
        credentials: The Secrets.
    """

    settings: ProvisionSettings
    credentials: Credentials

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as declared, of every server that there is an address of.

        Raises:
            ProvisionError: SECRET_MISSING, SERVER_UNREACHABLE.
        """
        if self._has_database:
            yield from self._postgres()
        for store in self.stores:
            if store.has_address:
                yield from store.differences(self.credentials, with_identities=self._makes_identities)
        if self.settings.nats_url:
            yield from self._bus()

    @property
    def left_out(self) -> Sequence[str]:
        """What is not looked at, and why."""
        reasons = {
            "PostgreSQL: there is no database-url of the administrator": self._has_database,
            "object store: PELLICULE_PROVISION_S3_ENDPOINT is not set": bool(self.settings.s3_endpoint),
            "bus: PELLICULE_PROVISION_NATS_URL is not set": bool(self.settings.nats_url),
            "identities of the object store: its operator makes them (--write)": self._makes_identities,
        }
        return [reason for reason, looked_at in reasons.items() if not looked_at]

    @property
    def stores(self) -> Sequence[Store]:
        """The object stores of the installation."""
        return stores(self.settings)

    @property
    def _has_database(self) -> bool:
        return self.credentials.find(ADMINISTRATOR, "database-url") is not None

    @property
    def _makes_identities(self) -> bool:
        return not self.settings.s3_endpoint or self.settings.s3_identities == "minio"

    def _postgres(self) -> Iterator[Difference]:
        import psycopg

        passwords = {service: self.credentials.password(service, "database") for service in SERVICES}
        try:
            administrator = self.credentials.get(ADMINISTRATOR, "database-url")
            yield from RolesAndDatabases(administrator, passwords).differences()
        except psycopg.OperationalError as error:
            raise ProvisionError.unreachable("PostgreSQL", error) from error

    def _bus(self) -> Iterator[Difference]:
        passwords = {service: self.credentials.password(service, "nats") for service in SERVICES}
        yield from BusUsers(self.settings.nats_url, self.settings.nats_ca_file, passwords).differences()
