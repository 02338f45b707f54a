"""Work of provisioning: which servers, in which order, by which credentials."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from deploy.declarations import BUCKETS, JOURNAL_BUCKET, MODEL_IDENTITIES, SERVICES, BucketRights, identities
from deploy.provision.buckets import Buckets
from deploy.provision.bus_check import BusUsers
from deploy.provision.credentials import ADMINISTRATOR, Credentials
from deploy.provision.differences import Difference
from deploy.provision.errors import ProvisionError
from deploy.provision.minio_identities import MinioIdentities
from deploy.provision.object_store import Identity
from deploy.provision.postgres import RolesAndDatabases
from deploy.provision.settings import ProvisionSettings


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
        if self.settings.s3_endpoint:
            yield from self._object_store()
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
    def rights(self) -> Mapping[str, BucketRights]:
        """What each identity may do at the object store, with the names that its buckets have there."""
        return {name: self._named(rights) for name, rights in identities().items()}

    @property
    def identities(self) -> Mapping[str, Identity]:
        """The keys of all who may ask the object store; none where the administrator's are not given."""
        if not self.credentials.has_identity(ADMINISTRATOR):
            return {}
        models = [name for name in MODEL_IDENTITIES if self.credentials.has_identity(name)]
        return {name: self.credentials.identity(name) for name in (ADMINISTRATOR, *SERVICES, *models)}

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
            raise ProvisionError.unreachable("PostgreSQL", _one_line(error)) from error

    def _object_store(self) -> Iterator[Difference]:
        from minio.error import MinioException
        from urllib3.exceptions import HTTPError

        try:
            yield from chain(self._buckets(), self._identities() if self._makes_identities else ())
        except (MinioException, HTTPError) as error:
            raise ProvisionError.unreachable("object store", _one_line(error)) from error

    def _buckets(self) -> Iterator[Difference]:
        models = sorted({bucket for rights in MODEL_IDENTITIES.values() for bucket in rights.owns})
        with self.settings.object_store.connection(self.credentials.identity(ADMINISTRATOR)) as (store, _):
            plain = self._prefixed((*BUCKETS, *models))
            yield from Buckets(store, plain, self._prefixed((JOURNAL_BUCKET,))).differences()

    def _identities(self) -> Iterator[Difference]:
        """Look at the identities of all services, and of what serves models where there is one."""
        keys = dict(self.identities)
        administrator = keys.pop(ADMINISTRATOR)
        yield from MinioIdentities(self.settings.object_store, administrator, keys, self.rights).differences()

    def _bus(self) -> Iterator[Difference]:
        passwords = {service: self.credentials.password(service, "nats") for service in SERVICES}
        yield from BusUsers(self.settings.nats_url, self.settings.nats_ca_file, passwords).differences()

    def _named(self, rights: BucketRights) -> BucketRights:
        return BucketRights(*(self._prefixed(names) for names in (rights.owns, rights.reads, rights.appends)))

    def _prefixed(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{self.settings.bucket_prefix}{name}" for name in names)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
