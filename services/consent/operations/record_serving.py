"""Recording that a notice was shown."""

from uuid import uuid4

from services.chassis.languages import LanguageUnknown, match_language
from services.consent.domain.notice import NoticeDisplay, NoticeServing
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.read_notices import find_notice


async def record_serving(display: NoticeDisplay, subject: str, dependencies: Dependencies) -> NoticeServing:
    """Record that a notice was shown to a person, superseded ones included.

    Raises:
        NoticeUnknown: it was never published.
        LanguageUnknown: it has no text in this language.
        RequestIdReused: the request id belongs to another request.
        LimitReached: the person was shown too many today.
    """
    published = await find_notice(display.notice, dependencies)
    offered = sorted(published.notice.bundle.texts)
    language = match_language(display.language_code, offered)
    if language is None:
        raise LanguageUnknown.of(display.language_code, offered)
    serving = display.serving(uuid4(), language, dependencies.clock.now())
    limit = dependencies.servings_a_day
    return await dependencies.notices.record_serving(subject, serving, display.request, limit=limit)
