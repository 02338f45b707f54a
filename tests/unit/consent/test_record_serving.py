from dataclasses import replace

import pytest

from services.chassis.languages import LanguageUnknown
from services.consent.domain.notice import NoticeDisplay, Surface
from services.consent.errors import RequestIdReused
from services.consent.operations.record_serving import record_serving
from tests.unit.consent.harness import ADA, Service, request


def _display(service: Service) -> NoticeDisplay:
    return NoticeDisplay(request(), service.notice, "en-US", Surface.CLI, "0.1.0", "f" * 64)


async def test_what_was_shown_is_recorded(service: Service) -> None:
    display = _display(service)

    serving = await record_serving(display, ADA, service.dependencies)

    assert (serving.notice, serving.language_code, serving.surface) == (service.notice, "en", Surface.CLI)
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


async def test_an_unknown_language_is_told_the_languages_that_there_are(service: Service) -> None:
    display = replace(_display(service), language_code="xx")

    with pytest.raises(LanguageUnknown) as refused:
        await record_serving(display, ADA, service.dependencies)

    assert refused.value.metadata == {"language_code": "xx", "language_codes": "en, fr"}
