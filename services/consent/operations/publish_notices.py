"""Publication of this release's notices and policy, at every start."""

from collections.abc import Sequence

from services.consent.domain.notice import Notice
from services.consent.operations.dependencies import Dependencies


async def publish_notices(released: Sequence[Notice], dependencies: Dependencies) -> None:
    """Publish notices and the policy in force; what was published before stays.

    Raises:
        NoticeInvalid: an edition was published with other words before.
    """
    now = dependencies.clock.now()
    await dependencies.notices.publish(released, now=now)
    await dependencies.notices.record_policy(dependencies.policy, now=now)
