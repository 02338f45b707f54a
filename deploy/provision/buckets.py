"""Buckets: made where they are missing; what is deleted in one is gone, but in the journal's, where nothing goes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from deploy.provision.differences import Difference

if TYPE_CHECKING:
    from minio import Minio
    from minio.objectlockconfig import ObjectLockConfig

LOCKED_YEARS = 10
"""How long a record of the journal is kept from deletion by all but the store's administrators."""
_NO_LOCK = "ObjectLockConfigurationNotFoundError"
_NO_POLICY = "NoSuchBucketPolicy"
_MAKE_ANEW = "copy what is in it to a bucket that was made without, and give that its name"


class Buckets:
    """The buckets of a store.

    Args:
        store: A client of who may make them.
        plain: Buckets whose objects are deleted for good.
        locked: Buckets whose objects no service may delete.
    """

    def __init__(self, store: "Minio", plain: Sequence[str], locked: Sequence[str] = ()) -> None:
        self._store = store
        self._plain = plain
        self._locked = locked

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as declared."""
        for name in self._plain:
            yield from self._plain_bucket(name)
        for name in self._locked:
            yield from self._locked_bucket(name)

    def _plain_bucket(self, name: str) -> Iterator[Difference]:
        if not self._store.bucket_exists(name):
            yield Difference(f"bucket {name}", "is not there", lambda: self._store.make_bucket(name))
            return
        if _lock(self._store, name) is not None:
            yield Difference(f"bucket {name}", "has a lock on its objects: nothing is deleted", remedy=_MAKE_ANEW)
        elif self._store.get_bucket_versioning(name).status == "Enabled":
            wrong = "keeps older versions of what is deleted: those that are there stay until they are deleted by hand"
            yield Difference(f"bucket {name}", wrong, lambda: _keep_no_versions(self._store, name))
        yield from self._policy(name)

    def _locked_bucket(self, name: str) -> Iterator[Difference]:
        if not self._store.bucket_exists(name):
            yield Difference(f"bucket {name}", "is not there", lambda: self._make_locked(name))
            return
        lock = _lock(self._store, name)
        if lock is None:
            wrong = "has no lock on its objects: what was destroyed can be made unknown"
            yield Difference(f"bucket {name}", wrong, remedy=_MAKE_ANEW.replace("without", "with one"))
        elif lock.mode is None:
            yield Difference(f"bucket {name}", "keeps no object by default", lambda: _lock_objects(self._store, name))
        yield from self._policy(name)

    def _make_locked(self, name: str) -> None:
        self._store.make_bucket(name, object_lock=True)
        _lock_objects(self._store, name)

    def _policy(self, name: str) -> Iterator[Difference]:
        """Look for a policy of the bucket itself: rights are the identities', and no bucket has any to give."""
        for statement in _statements(self._store, name):
            if statement.get("Effect") == "Allow":
                wrong = f"lets {json.dumps(statement.get('Principal'))} in by a policy of its own"
                yield Difference(f"bucket {name}", wrong, lambda: self._store.delete_bucket_policy(name))
                return


def _keep_no_versions(store: "Minio", name: str) -> None:
    from minio.versioningconfig import SUSPENDED, VersioningConfig

    store.set_bucket_versioning(name, VersioningConfig(SUSPENDED))


def _lock_objects(store: "Minio", name: str) -> None:
    from minio.commonconfig import GOVERNANCE
    from minio.objectlockconfig import YEARS, ObjectLockConfig

    store.set_object_lock_config(name, ObjectLockConfig(GOVERNANCE, LOCKED_YEARS, YEARS))


def _lock(store: "Minio", name: str) -> "ObjectLockConfig | None":
    from minio.error import S3Error

    try:
        return store.get_object_lock_config(name)
    except S3Error as error:
        if error.code == _NO_LOCK:
            return None
        raise


def _statements(store: "Minio", name: str) -> Sequence[Mapping[str, object]]:
    from minio.error import S3Error

    try:
        document = json.loads(store.get_bucket_policy(name))
    except S3Error as error:
        if error.code == _NO_POLICY:
            return ()
        raise
    statements = document.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]
