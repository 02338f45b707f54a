"""Lifecycle rule of a bucket: the backstop behind the deadlines, put back where it was changed."""

from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule

_BACKSTOP_RULE = "backstop"


def ensure_backstop(client: Minio, bucket: str, days: int) -> bool:
    """Have a bucket delete objects of this age by itself; tell whether it did not.

    Args:
        client: Of an identity that may read and write the bucket's rules.
        bucket: Its name.
        days: Age at which an object is deleted.
    """
    if expiry_days(client, bucket) == [days]:
        return False
    rule = Rule(ENABLED, Filter(prefix=""), rule_id=_BACKSTOP_RULE, expiration=Expiration(days=days))
    client.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))
    return True


def expiry_days(client: Minio, bucket: str) -> list[int | None]:
    """Return after how many days each rule deletes an object of the bucket; None for one that deletes only some."""
    found = client.get_bucket_lifecycle(bucket)
    return [] if found is None else [_age(rule) for rule in found.rules]


def _age(rule: Rule) -> int | None:
    prefix = None if rule.rule_filter is None else rule.rule_filter.prefix
    whole = rule.status == ENABLED and not prefix
    return rule.expiration.days if whole and rule.expiration is not None else None
