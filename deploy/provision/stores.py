"""Object stores of an installation: one, or the journal's in another place than that of everything else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from deploy.declarations import (
    BUCKETS,
    JOURNAL_BUCKET,
    MODEL_IDENTITIES,
    SERVICES,
    BucketRights,
    identities,
    journal_rights,
    own_rights,
)
from deploy.provision.buckets import Buckets
from deploy.provision.credentials import ADMINISTRATOR, Credentials
from deploy.provision.differences import Difference
from deploy.provision.errors import ProvisionError
from deploy.provision.minio_identities import MinioIdentities
from deploy.provision.object_store import Endpoint, Identity
from deploy.provision.settings import ProvisionSettings

_MODEL_BUCKETS = tuple(sorted({bucket for rights in MODEL_IDENTITIES.values() for bucket in rights.owns}))


@dataclass(frozen=True)
class Store:
    """An object store, and what is declared for it.

    Attributes:
        name: What it is called in Secrets' keys: `s3` or `journal`.
        endpoint: Where it is.
        rights: What each identity may do there.
        plain: Buckets whose objects are deleted for good.
        locked: Buckets where nothing is deleted.
        optional: Who may have no identity.
    """

    name: str
    endpoint: Endpoint
    rights: Mapping[str, BucketRights]
    plain: Sequence[str]
    locked: Sequence[str]
    optional: frozenset[str] = frozenset()

    @property
    def has_address(self) -> bool:
        """Whether it can be asked."""
        return bool(self.endpoint.url)

    def identities(self, credentials: Credentials) -> Mapping[str, Identity]:
        """Return the keys of all who may ask it; none where the administrator's are not given."""
        if not credentials.has_identity(ADMINISTRATOR, self.name):
            return {}
        absent = {name for name in self.optional if not credentials.has_identity(name, self.name)}
        present = [name for name in self.rights if name not in absent]
        return {name: credentials.identity(name, self.name) for name in (ADMINISTRATOR, *present)}

    def differences(self, credentials: Credentials, *, with_identities: bool) -> Iterator[Difference]:
        """Yield what is not as declared.

        Raises:
            ProvisionError: SECRET_MISSING, SERVER_UNREACHABLE.
        """
        from minio.error import MinioAdminException, MinioException
        from urllib3.exceptions import HTTPError

        administrator = credentials.identity(ADMINISTRATOR, self.name)
        made = self._identities(credentials) if with_identities else ()
        try:
            yield from chain(self._buckets(administrator), made)
        except (MinioException, MinioAdminException, HTTPError) as error:
            raise ProvisionError.unreachable(f"object store {self.endpoint.url}", error) from error

    def _buckets(self, administrator: Identity) -> Iterator[Difference]:
        with self.endpoint.connection(administrator) as (store, _):
            yield from Buckets(store, self.plain, self.locked).differences()

    def _identities(self, credentials: Credentials) -> Iterator[Difference]:
        keys = dict(self.identities(credentials))
        administrator = keys.pop(ADMINISTRATOR)
        yield from MinioIdentities(self.endpoint, administrator, keys, self.rights).differences()


def stores(settings: ProvisionSettings) -> Sequence[Store]:
    """Return the stores of an installation, with an address or without."""
    of_journal = settings.journal_store
    if of_journal is None:
        return [_shared(settings)]
    rights = _named(settings, journal_rights())
    return [_of_objects(settings), Store("journal", of_journal, rights, (), _journal(settings))]


def _shared(settings: ProvisionSettings) -> Store:
    plain = _prefixed(settings, (*BUCKETS, *_MODEL_BUCKETS))
    rights = _named(settings, identities())
    return Store("s3", settings.object_store, rights, plain, _journal(settings), frozenset(MODEL_IDENTITIES))


def _of_objects(settings: ProvisionSettings) -> Store:
    own = {service: own_rights(service) for service in SERVICES if own_rights(service).all}
    rights = _named(settings, {**own, **MODEL_IDENTITIES})
    plain = _prefixed(settings, (*BUCKETS, *_MODEL_BUCKETS))
    return Store("s3", settings.object_store, rights, plain, (), frozenset(MODEL_IDENTITIES))


def _journal(settings: ProvisionSettings) -> tuple[str, ...]:
    return _prefixed(settings, (JOURNAL_BUCKET,))


def _named(settings: ProvisionSettings, rights: Mapping[str, BucketRights]) -> Mapping[str, BucketRights]:
    """Return rights with the names that buckets have in this installation."""
    return {
        name: BucketRights(*(_prefixed(settings, names) for names in (each.owns, each.reads, each.appends)))
        for name, each in rights.items()
    }


def _prefixed(settings: ProvisionSettings, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{settings.bucket_prefix}{name}" for name in names)
