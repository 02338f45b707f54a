"""Analysis of one media."""

from uuid import UUID

from services.analysis.domain.findings import Analysis
from services.analysis.errors import MediaNotFound
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.list_analyses import list_analyses
from services.keyring import PurposeNotGranted


async def get_analysis(subject: str, media: UUID, dependencies: Dependencies) -> Analysis:
    """Return what is known of one media.

    Its group depends on all other media of the person, so they are opened as well.

    Raises:
        MediaNotFound: the person has no such media, or it can no longer be opened.
    """
    if not await dependencies.library.statuses(subject, [media]):
        raise MediaNotFound.of(media)
    try:
        everything = await list_analyses(subject, dependencies)
    except PurposeNotGranted:
        raise MediaNotFound.of(media) from None
    found = next((analysis for analysis in everything if analysis.media == media), None)
    if found is None:
        raise MediaNotFound.of(media)
    return found
