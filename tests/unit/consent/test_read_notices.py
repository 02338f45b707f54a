import pytest

from services.consent.domain.notice import Notice
from services.consent.errors import NoticeUnknown
from services.consent.notices.notice_files import reopen_notice
from services.consent.operations.read_notices import compare_notices, find_notice
from services.keyring import Purpose
from tests.unit.consent.harness import Service, next_edition


async def _next_edition(service: Service) -> Notice:
    words = next_edition((await service.notices.current()).notice).canonical_json
    return reopen_notice(words.replace(b'"validity_months":6', b'"validity_months":3'))


async def test_the_difference_of_two_notices_is_what_must_be_asked_again(service: Service) -> None:
    later = await _next_edition(service)
    await service.notices.publish([later], now=service.clock.now())

    changed = await compare_notices(service.notice, later.digest, service.dependencies)

    assert changed == [Purpose.FACE_GROUPING]


async def test_a_notice_that_was_never_published_is_unknown(service: Service) -> None:
    with pytest.raises(NoticeUnknown):
        await find_notice("0" * 64, service.dependencies)
