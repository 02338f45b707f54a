"""What the notice service does: publish, show, compare, and record what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from services.chassis.clock import Clock
from services.consent.decisions import Request
from services.consent.domain import NoticeServing, Purpose
from services.consent.errors import LocaleUnknown, NoticeUnknown
from services.consent.notice import Notice, PublishedNotice, changed_purposes
from services.consent.policy import Policy
from services.consent.ports import NoticeStore


@dataclass(frozen=True)
class Shown:
    """What a person says they were shown."""

    request: Request
    notice: str
    locale: str
    surface: str
    build: str
    rendered_sha256: str


async def publish(notices: Sequence[Notice], policy: Policy, *, store: NoticeStore, clock: Clock) -> None:
    """Publishes this release's notices and policy; what was published before stays.

    Raises:
        NoticeInvalid: an edition was published with other words before.
    """
    await store.publish(notices, now=clock.now())
    await store.record_policy(policy, now=clock.now())


async def find(digest: str | None, *, store: NoticeStore) -> PublishedNotice:
    """Returns a notice, or for None the one in force.

    Raises:
        NoticeUnknown: no notice with this digest was published.
    """
    if digest is None:
        return await store.current()
    published = await store.notice(digest)
    if published is None:
        raise NoticeUnknown.of(digest)
    return published


async def difference(old: str, new: str, *, store: NoticeStore) -> Sequence[Purpose]:
    """Returns the purposes about which two notices say different things.

    Raises:
        NoticeUnknown: one of them was never published.
    """
    before, after = await find(old, store=store), await find(new, store=store)
    return changed_purposes(before.notice.bundle, after.notice.bundle)


async def record_served(shown: Shown, *, subject: str, store: NoticeStore, clock: Clock) -> NoticeServing:
    """Records that a notice was shown to a person, superseded ones included.

    Raises:
        NoticeUnknown: it was never published.
        LocaleUnknown: it has no text in this locale.
        RequestIdReused: the request id belongs to another request.
    """
    published = await find(shown.notice, store=store)
    locales = published.notice.bundle.texts
    if shown.locale not in locales:
        raise LocaleUnknown.of(shown.locale, locales)
    serving = NoticeServing(
        id=uuid4(),
        notice=shown.notice,
        locale=shown.locale,
        surface=shown.surface,
        build=shown.build,
        rendered_sha256=shown.rendered_sha256,
        serve_time=clock.now(),
    )
    return await store.record_serving(subject, serving, shown.request)
