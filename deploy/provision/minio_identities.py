"""Identities of MinIO and its forks: a user and a policy each, by its own administration."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deploy.declarations import BucketRights
from deploy.provision.differences import Difference
from deploy.provision.object_store import Endpoint, Identity
from deploy.provision.policies import policy

if TYPE_CHECKING:
    from minio import MinioAdmin

_WRONG_SECRET = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId"})


class MinioIdentities:
    """The users of a MinIO server.

    Args:
        endpoint: Where it is.
        administrator: Who may make users.
        identities: Keys by name; the policy bears the name.
        rights: What each may do, by name.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        administrator: Identity,
        identities: Mapping[str, Identity],
        rights: Mapping[str, BucketRights],
    ) -> None:
        self._endpoint = endpoint
        self._administrator = administrator
        self._identities = identities
        self._rights = rights

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as declared."""
        with self._endpoint.administration(self._administrator) as admin:
            # Asked once: the answer comes encrypted under a key that is slow to derive.
            policies, users = json.loads(admin.policy_list()), json.loads(admin.user_list())
            for name, identity in self._identities.items():
                yield from self._policy(admin, name, policies.get(name))
                yield from self._user(admin, name, identity, is_there=identity.access_key in users)

    def _policy(self, admin: "MinioAdmin", name: str, found: object) -> Iterator[Difference]:
        wanted = policy(self._rights[name]).document()
        if found is None or _plain(found) != _plain(wanted):
            wrong = "is not there" if found is None else "allows something else"
            yield Difference(f"policy {name}", wrong, lambda: admin.policy_add(policy_name=name, policy=wanted))

    def _user(self, admin: "MinioAdmin", name: str, identity: Identity, *, is_there: bool) -> Iterator[Difference]:
        subject, key = f"identity {name}", identity.access_key
        if not is_there:
            yield Difference(subject, "is not there", lambda: _add(admin, identity))
            yield Difference(subject, f"has not its policy {name}", lambda: _attach(admin, key, name))
            return
        if not self._works(name, identity):
            yield Difference(subject, "has another secret, or is disabled", lambda: _add(admin, identity))
        yield from _attached(admin, name, key)

    def _works(self, name: str, identity: Identity) -> bool:
        """Ask something as the identity does: its secret cannot be read."""
        from minio.error import S3Error

        with self._endpoint.connection(identity) as (store, _):
            try:
                next(store.list_objects(self._rights[name].all[0]), None)
            except S3Error as error:
                return error.code not in _WRONG_SECRET
        return True


def _attached(admin: "MinioAdmin", name: str, key: str) -> Iterator[Difference]:
    user = json.loads(admin.user_info(access_key=key))
    attached = {each for each in user.get("policyName", "").split(",") if each}
    if name not in attached:
        yield Difference(f"identity {name}", f"has not its policy {name}", lambda: _attach(admin, key, name))
    for other in sorted(attached - {name}):
        wrong = f"has the policy {other} as well"
        yield Difference(f"identity {name}", wrong, lambda other=other: _detach(admin, key, other))  # type: ignore[misc]
    for group in user.get("memberOf") or ():
        remedy = f"take it out of the group {group}"
        yield Difference(f"identity {name}", f"has the rights of the group {group} as well", remedy=remedy)


def _add(admin: "MinioAdmin", identity: Identity) -> None:
    """Add or change a user, who is enabled then."""
    admin.user_add(access_key=identity.access_key, secret_key=identity.secret_key)


def _attach(admin: "MinioAdmin", key: str, name: str) -> None:
    admin.attach_policy(policies=[name], user=key)


def _detach(admin: "MinioAdmin", key: str, name: str) -> None:
    admin.detach_policy(policies=[name], user=key)


def _plain(document: object) -> object:
    """Return a policy without its order: the server keeps it otherwise than it was written."""
    if isinstance(document, dict):
        return {key: _plain(value) for key, value in document.items()}
    if isinstance(document, list):
        return sorted(json.dumps(_plain(each), sort_keys=True) for each in document)
    return document
