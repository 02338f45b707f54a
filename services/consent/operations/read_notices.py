"""Reading and comparing published notices."""

from collections.abc import Sequence

from services.consent.domain.notice import PublishedNotice, changed_purposes
from services.consent.errors import NoticeUnknown
from services.consent.operations.dependencies import Dependencies
from services.keyring import Purpose


async def find_notice(digest: str | None, dependencies: Dependencies) -> PublishedNotice:
    """Return a notice, or for None the one in force.

    Raises:
        NoticeUnknown: no notice with this digest was published.
    """
    if digest is None:
        return await dependencies.notices.current()
    published = await dependencies.notices.notice(digest)
    if published is None:
        raise NoticeUnknown.of(digest)
    return published


async def compare_notices(old: str, new: str, dependencies: Dependencies) -> Sequence[Purpose]:
    """Return the purposes about which two notices say different things.

    Raises:
        NoticeUnknown: one of them was never published.
    """
    before, after = await find_notice(old, dependencies), await find_notice(new, dependencies)
    return changed_purposes(before.notice.bundle, after.notice.bundle)
