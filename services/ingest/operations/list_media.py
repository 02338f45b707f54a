"""Lists of media, page by page: a page begins behind a media, so that none is told twice or left out.

What the lists go by is sealed but for the time of the upload. By that the pages are read as they are asked for; by the
time when media were taken all of a person's are opened for each page, and none of it is kept.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.ingest.domain.media import Media, PageStart
from services.ingest.domain.media_list import MediaOrder, MediaQuery
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import open_media
from services.ingest.operations.open_keys import open_row_keys

_OPENED_TOGETHER = 1000
_ALL = MediaQuery()


async def list_media(
    dependencies: Dependencies, *, subject: str, page_size: int, after: PageStart | None, query: MediaQuery = _ALL
) -> tuple[list[Media], PageStart | None]:
    """Return a page of media, and where the next begins; what no longer opens is left out.

    Args:
        dependencies: What the use cases are handed.
        subject: The person.
        page_size: How many media at most.
        after: Where the page before ended; None for the first.
        query: Which media, in which order.

    Raises:
        PurposeNotGranted: CLOUD_PROCESSING is not granted.
    """
    await dependencies.lookup_keys.open(subject)
    find = _sorted if query.order.is_by_capture else _read
    found = await find(dependencies, subject, page_size + 1, after, query)
    following = query.order.place(found[page_size - 1]) if len(found) > page_size else None
    return found[:page_size], following


async def _read(
    dependencies: Dependencies, subject: str, most: int, after: PageStart | None, query: MediaQuery
) -> list[Media]:
    found: list[Media] = []
    async with aclosing(_opened(dependencies, subject, most, after, query.order)) as opened:
        async for media in opened:
            if query.wanted.takes(media.metadata):
                found.append(media)
            if len(found) == most:
                break
    return found


async def _sorted(
    dependencies: Dependencies, subject: str, most: int, after: PageStart | None, query: MediaQuery
) -> list[Media]:
    opened = _opened(dependencies, subject, _OPENED_TOGETHER, None, MediaOrder.NEWEST_UPLOAD)
    found = [
        media async for media in opened if query.wanted.takes(media.metadata) and query.order.is_behind(media, after)
    ]
    return sorted(found, key=query.order.place, reverse=query.order.is_newest_first)[:most]


async def _opened(
    dependencies: Dependencies, subject: str, first: int, after: PageStart | None, order: MediaOrder
) -> AsyncGenerator[Media, None]:
    """Yield a person's media by the time of their uploads; `first` are opened at first, then many together."""
    limit = first
    while True:
        rows = await dependencies.media.page(subject, after, limit, newest_first=order.is_newest_first)
        keys = await open_row_keys(dependencies, subject, rows)
        for row in rows:
            if row.id in keys:
                yield open_media(dependencies, row, keys[row.id])
        if len(rows) < limit:
            return
        after, limit = PageStart(rows[-1].upload_time, rows[-1].id), _OPENED_TOGETHER
