"""Rights at an object store as the servers write them: policies of S3, actions of SeaweedFS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.declarations import BucketRights

_LIST = ("s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads")
_LIFECYCLE = ("s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration")
_READ = ("s3:GetObject", "s3:GetObjectTagging")
_APPEND = ("s3:PutObject",)
_WRITE = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:PutObjectTagging",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
_SEAWEED_OWN = ("Read", "Write", "List", "Tagging")
_SEAWEED_READ = ("Read", "List")
_SEAWEED_APPEND = ("Read", "Write", "List")
"""It has no action that writes and deletes nothing: a bucket that is only appended to wants a lock on its objects."""


@dataclass(frozen=True)
class Statement:
    """Actions that are allowed on resources."""

    actions: Sequence[str]
    resources: Sequence[str]

    def document(self) -> Mapping[str, object]:
        """Return the statement as S3 servers read it."""
        return {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}


@dataclass(frozen=True)
class Policy:
    """What an identity may do; whatever it does not name is refused."""

    statements: Sequence[Statement]

    def document(self) -> Mapping[str, object]:
        """Return the policy as S3 servers read it."""
        return {"Version": "2012-10-17", "Statement": [each.document() for each in self.statements]}


def policy(rights: BucketRights) -> Policy:
    """Return rights as a policy of S3."""
    allowed = [
        Statement(_LIST, _buckets(rights.all)),
        Statement(_READ, _objects(rights.all)),
        Statement(_LIFECYCLE, _buckets(rights.owns)),
        Statement(_WRITE, _objects(rights.owns)),
        Statement(_APPEND, _objects(rights.appends)),
    ]
    return Policy([statement for statement in allowed if statement.resources])


def seaweed_actions(rights: BucketRights) -> list[str]:
    """Return rights as SeaweedFS writes them: `Action:bucket`."""
    own = [f"{action}:{bucket}" for bucket in rights.owns for action in _SEAWEED_OWN]
    read = [f"{action}:{bucket}" for bucket in rights.reads for action in _SEAWEED_READ]
    return [*own, *read, *(f"{action}:{bucket}" for bucket in rights.appends for action in _SEAWEED_APPEND)]


def _buckets(names: Sequence[str]) -> Sequence[str]:
    return [f"arn:aws:s3:::{name}" for name in names]


def _objects(names: Sequence[str]) -> Sequence[str]:
    return [f"arn:aws:s3:::{name}/*" for name in names]
