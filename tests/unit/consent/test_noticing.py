from dataclasses import replace

import pytest

from services.consent import noticing
from services.consent.domain import Purpose
from services.consent.errors import LocaleUnknown, NoticeUnknown, RequestIdReused
from services.consent.notice import Notice, NoticeInvalid
from services.consent.noticing import Shown
from tests.unit.consent.service import ADA, Service, request


def _shown(service: Service) -> Shown:
    return Shown(request(), service.notice, "en", "cli", "0.1.0", "f" * 64)


async def _next_edition(service: Service) -> Notice:
    words = (await service.notices.current()).notice.canonical_json
    words = words.replace(b'"edition":"2026-11-22"', b'"edition":"2027-01-01"')
    return Notice(words.replace(b'"validity_months":6', b'"validity_months":3'))


async def test_the_newest_edition_is_the_current_notice_and_older_ones_stay(service: Service) -> None:
    later = await _next_edition(service)

    await noticing.publish([later], service.policy, store=service.notices, clock=service.clock)

    current = await noticing.find(None, store=service.notices)
    assert (current.notice.digest, current.current) == (later.digest, True)
    assert not (await noticing.find(service.notice, store=service.notices)).current


async def test_publishing_again_changes_nothing(service: Service) -> None:
    before = await noticing.find(None, store=service.notices)
    await service.clock.advance(60)

    await noticing.publish([before.notice], service.policy, store=service.notices, clock=service.clock)

    assert await noticing.find(None, store=service.notices) == before


async def test_an_edition_cannot_change_its_words(service: Service) -> None:
    words = (await service.notices.current()).notice.canonical_json.replace(b"Pellicule", b"Somebody")

    with pytest.raises(NoticeInvalid, match="2026-11-22"):
        await noticing.publish([Notice(words)], service.policy, store=service.notices, clock=service.clock)


async def test_the_difference_of_two_notices_is_what_must_be_asked_again(service: Service) -> None:
    later = await _next_edition(service)
    await service.notices.publish([later], now=service.clock.now())

    changed = await noticing.difference(service.notice, later.digest, store=service.notices)

    assert changed == [Purpose.FACE_GROUPING]


async def test_a_notice_that_was_never_published_is_unknown(service: Service) -> None:
    with pytest.raises(NoticeUnknown):
        await noticing.find("0" * 64, store=service.notices)


async def test_what_was_shown_is_recorded(service: Service) -> None:
    shown = _shown(service)

    serving = await noticing.record_served(shown, subject=ADA, store=service.notices, clock=service.clock)

    assert (serving.notice, serving.locale, serving.surface, serving.build) == (service.notice, "en", "cli", "0.1.0")
    assert await service.notices.serving(ADA, serving.id) == serving


async def test_a_repeated_record_is_the_first_one(service: Service) -> None:
    shown = _shown(service)
    first = await noticing.record_served(shown, subject=ADA, store=service.notices, clock=service.clock)
    await service.clock.advance(5)

    assert first == await noticing.record_served(shown, subject=ADA, store=service.notices, clock=service.clock)


async def test_a_request_id_cannot_record_two_things(service: Service) -> None:
    shown = _shown(service)
    await noticing.record_served(shown, subject=ADA, store=service.notices, clock=service.clock)
    other = replace(shown, request=request("2" * 64, shown.request.id))

    with pytest.raises(RequestIdReused):
        await noticing.record_served(other, subject=ADA, store=service.notices, clock=service.clock)


async def test_an_unknown_locale_is_told_the_locales_that_there_are(service: Service) -> None:
    shown = replace(_shown(service), locale="xx")

    with pytest.raises(LocaleUnknown) as refused:
        await noticing.record_served(shown, subject=ADA, store=service.notices, clock=service.clock)

    assert refused.value.metadata == {"locale": "xx", "locales": "en, fr"}


async def test_the_policy_in_force_is_kept(service: Service) -> None:
    assert service.notices.policies[service.policy.sha256].content == service.policy.content
