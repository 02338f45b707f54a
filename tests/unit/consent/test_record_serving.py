from dataclasses import replace

import pytest

from services.consent.domain.notice import NoticeDisplay
from services.consent.errors import LocaleUnknown, RequestIdReused
from services.consent.operations.record_serving import record_serving
from tests.unit.consent.harness import ADA, Service, request


def _display(service: Service) -> NoticeDisplay:
    return NoticeDisplay(request(), service.notice, "en", "cli", "0.1.0", "f" * 64)


async def test_what_was_shown_is_recorded(service: Service) -> None:
    display = _display(service)

    serving = await record_serving(display, ADA, service.dependencies)

    assert (serving.notice, serving.locale, serving.surface, serving.build) == (service.notice, "en", "cli", "0.1.0")
    assert await service.notices.serving(ADA, serving.id) == serving


async def test_a_repeated_record_is_the_first_one(service: Service) -> None:
    display = _display(service)
    first = await record_serving(display, ADA, service.dependencies)
    await service.clock.advance(5)

    assert first == await record_serving(display, ADA, service.dependencies)


async def test_a_request_id_cannot_record_two_things(service: Service) -> None:
    display = _display(service)
    await record_serving(display, ADA, service.dependencies)
    other = replace(display, request=request("2" * 64, display.request.id))

    with pytest.raises(RequestIdReused):
        await record_serving(other, ADA, service.dependencies)


async def test_an_unknown_locale_is_told_the_locales_that_there_are(service: Service) -> None:
    display = replace(_display(service), locale="xx")

    with pytest.raises(LocaleUnknown) as refused:
        await record_serving(display, ADA, service.dependencies)

    assert refused.value.metadata == {"locale": "xx", "locales": "en, fr"}
