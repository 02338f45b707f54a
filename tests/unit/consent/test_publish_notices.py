import pytest

from services.consent.domain.notice import Notice
from services.consent.errors import NoticeInvalid
from services.consent.notices.notice_files import reopen_notice
from services.consent.operations.publish_notices import publish_notices
from services.consent.operations.read_notices import find_notice
from tests.unit.consent.harness import Service, next_edition


async def _next_edition(service: Service) -> Notice:
    words = next_edition((await service.notices.current()).notice).canonical_json
    return reopen_notice(words.replace(b'"validity_months":6', b'"validity_months":3'))


async def test_the_newest_edition_is_the_current_notice_and_older_ones_stay(service: Service) -> None:
    later = await _next_edition(service)

    await publish_notices([later], service.dependencies)

    current = await find_notice(None, service.dependencies)
    assert (current.notice.digest, current.current) == (later.digest, True)
    assert not (await find_notice(service.notice, service.dependencies)).current


async def test_publishing_again_changes_nothing(service: Service) -> None:
    before = await find_notice(None, service.dependencies)
    await service.clock.advance(60)

    await publish_notices([before.notice], service.dependencies)

    assert await find_notice(None, service.dependencies) == before


async def test_an_edition_cannot_change_its_words(service: Service) -> None:
    notice = (await service.notices.current()).notice
    changed = reopen_notice(notice.canonical_json.replace(b"Pellicule", b"Somebody"))

    with pytest.raises(NoticeInvalid, match=notice.bundle.edition):
        await publish_notices([changed], service.dependencies)


async def test_the_policy_in_force_is_kept(service: Service) -> None:
    assert service.notices.policies[service.policy.sha256].content == service.policy.content
