"""Recording that a notice was shown."""

from uuid import uuid4

from services.consent.domain.notice import NoticeDisplay, NoticeServing
from services.consent.errors import LocaleUnknown
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.read_notices import find_notice


async def record_serving(display: NoticeDisplay, subject: str, dependencies: Dependencies) -> NoticeServing:
    """Record that a notice was shown to a person, superseded ones included.

    Raises:
        NoticeUnknown: it was never published.
        LocaleUnknown: it has no text in this locale.
        RequestIdReused: the request id belongs to another request.
    """
    published = await find_notice(display.notice, dependencies)
    locales = published.notice.bundle.texts
    if display.locale not in locales:
        raise LocaleUnknown.of(display.locale, locales)
    serving = display.serving(uuid4(), dependencies.clock.now())
    return await dependencies.notices.record_serving(subject, serving, display.request)
