"""What consent's stores promise; run against the fakes and against PostgreSQL."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import services.consent
from services.chassis.errors import LimitReached
from services.chassis.limits.allowance import DAY, DailyLimit
from services.consent.domain.change import Change, Request
from services.consent.domain.consent import Age, AgeBand, Basis, ConsentEvent, EventType, Jurisdiction
from services.consent.domain.history import History
from services.consent.domain.notice import Notice, NoticeServing, Surface
from services.consent.errors import NoticeInvalid, RequestIdReused
from services.consent.notices.notice_files import read_notices, reopen_notice
from services.consent.notices.policy_file import read_policy
from services.consent.ports import ConsentStore, NoticeStore
from services.keyring import Purpose

FOLDER = Path(services.consent.__file__).parent
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = cache(lambda: read_policy(FOLDER / "notices" / "policy.yaml"))
LIMIT = DailyLimit("notices shown", 3)
RELEASED = cache(lambda: read_notices(FOLDER / "notices", POLICY().offered)[-1])


@dataclass(frozen=True)
class Stores:
    """Empty stores over the same data."""

    consents: ConsentStore
    notices: NoticeStore


def edition(name: str) -> Notice:
    """Return the released notice as another edition."""
    released = f'"edition":"{RELEASED().bundle.edition}"'.encode()
    return reopen_notice(RELEASED().canonical_json.replace(released, f'"edition":"{name}"'.encode()))


def request(request_id: UUID | None = None, sha256: str = "1" * 64) -> Request:
    return Request(request_id or uuid4(), sha256)


def serving(time: datetime = NOW) -> NoticeServing:
    return NoticeServing(uuid4(), RELEASED().digest, "fr", Surface.CLI, "0.1.0", "f" * 64, time)


def given(
    revision: int, purpose: Purpose = Purpose.CLOUD_PROCESSING, time: datetime = NOW, asked: Request | None = None
) -> ConsentEvent:
    return ConsentEvent(
        id=uuid4(),
        revision=revision,
        purpose=purpose,
        type=EventType.GIVEN,
        event_time=time,
        notice=RELEASED().digest,
        expire_time=time + timedelta(days=365),
        serving=uuid4(),
        jurisdiction=Jurisdiction("US-CA", Basis.SELF_DECLARED),
        age=Age(AgeBand.ADULT, Basis.VERIFIED),
        policy_sha256="8" * 64,
        older_media_start_time=datetime(2025, 1, 1, tzinfo=UTC) if purpose is Purpose.OLDER_MEDIA else None,
        request_id=None if asked is None else asked.id,
    )


def ended(revision: int, purpose: Purpose = Purpose.CLOUD_PROCESSING, time: datetime = NOW) -> ConsentEvent:
    return ConsentEvent(
        id=uuid4(),
        revision=revision,
        purpose=purpose,
        type=EventType.WITHDRAWN,
        event_time=time,
        notice=RELEASED().digest,
        cascade_of=Purpose.CLOUD_PROCESSING,
    )


def change(*events: ConsentEvent, asked: Request | None = None, time: datetime = NOW, revision: int = 0) -> Change:
    closes = tuple(event.purpose for event in events if event.type is EventType.WITHDRAWN)
    highest = max([revision, *(event.revision for event in events)])
    return Change(begin_time=time, revision=highest, events=events, closes=closes, request=asked)


class StoreSuite:
    """Collected through its subclasses, each of which brings `stores`."""

    @pytest.fixture
    async def ready(self, stores: Stores) -> Stores:
        await stores.notices.publish([RELEASED()], now=NOW)
        return stores

    @pytest.fixture
    def ada(self) -> str:
        return secrets.token_hex(16)

    @pytest.fixture
    def ben(self) -> str:
        return secrets.token_hex(16)

    async def _finish(self, stores: Stores, subject: str, made: Change) -> None:
        async with stores.consents.locked(subject) as ledger:
            await ledger.begin(made)
            await ledger.finish(made)

    async def _all(self, stores: Stores, subject: str) -> Sequence[ConsentEvent]:
        return await stores.consents.events(subject, below=None, limit=100)

    async def test_a_person_unknown_has_no_history(self, ready: Stores, ada: str) -> None:
        assert await ready.consents.history(ada) == History()
        assert await self._all(ready, ada) == () or await self._all(ready, ada) == []

    async def test_a_change_that_is_begun_is_pending_and_has_used_up_its_revisions(
        self, ready: Stores, ada: str
    ) -> None:
        asked = request()
        begun = change(given(1, asked=asked), ended(2, Purpose.LOCATION), asked=asked)
        async with ready.consents.locked(ada) as ledger:
            await ledger.begin(begun)

        assert await ready.consents.history(ada) == History(2, (), begun)

    async def test_a_change_that_is_begun_takes_the_place_of_the_pending_one(self, ready: Stores, ada: str) -> None:
        second = change(ended(2), time=NOW + SECOND)
        async with ready.consents.locked(ada) as ledger:
            await ledger.begin(change(given(1)))
            await ledger.begin(second)

            assert (await ledger.history()).pending == second

    async def test_a_finished_change_is_true_and_no_longer_pending(self, ready: Stores, ada: str) -> None:
        events = (given(1), given(2, Purpose.OLDER_MEDIA))

        await self._finish(ready, ada, change(*events))

        history = await ready.consents.history(ada)
        assert set(history.latest) == set(events)
        assert (history.revision, history.pending) == (2, None)

    async def test_the_latest_event_of_each_purpose_counts(self, ready: Stores, ada: str) -> None:
        second = ended(2)
        await self._finish(ready, ada, change(given(1)))
        await self._finish(ready, ada, change(second))

        assert (await ready.consents.history(ada)).latest == (second,)

    async def test_revisions_that_a_dropped_change_used_stay_used(self, ready: Stores, ada: str) -> None:
        async with ready.consents.locked(ada) as ledger:
            await ledger.begin(change(given(5)))
            await ledger.finish(change(revision=6))

        assert await ready.consents.history(ada) == History(revision=6)

    async def test_a_request_is_answered_with_its_events_and_what_held_then(self, ready: Stores, ada: str) -> None:
        asked = request()
        before, made = given(1), given(2, Purpose.LOCATION, asked=asked)
        await self._finish(ready, ada, change(before))
        await self._finish(ready, ada, change(made, asked=asked, time=NOW + SECOND))
        await self._finish(ready, ada, change(ended(3), ended(4, Purpose.LOCATION)))

        answer = await ready.consents.recorded_result(ada, asked.id)

        assert answer is not None
        assert (answer.request, answer.answer_time, answer.events) == (asked, NOW + SECOND, (made,))
        assert set(answer.latest) == {before, made}

    async def test_a_request_that_made_no_event_is_answered_as_well(self, ready: Stores, ada: str) -> None:
        asked = request()
        await self._finish(ready, ada, change(asked=asked, revision=1))

        answer = await ready.consents.recorded_result(ada, asked.id)

        assert answer is not None
        assert (answer.events, answer.latest) == ((), ())

    async def test_a_request_id_belongs_to_one_request_whatever_it_asks_for(self, ready: Stores, ada: str) -> None:
        shown, decided = request(), request()
        await ready.notices.record_serving(ada, serving(), shown, limit=LIMIT)
        async with ready.consents.locked(ada) as ledger:
            made = change(given(1, asked=decided), asked=decided)
            await ledger.begin(made)
            await ledger.finish(made)
            with pytest.raises(RequestIdReused):
                await ledger.recorded_result(shown.id)
        with pytest.raises(RequestIdReused):
            await ready.notices.record_serving(ada, serving(), decided, limit=LIMIT)

    async def test_a_change_that_no_request_made_answers_none(self, ready: Stores, ada: str) -> None:
        asked = request()
        async with ready.consents.locked(ada) as ledger:
            await ledger.begin(change(given(1, asked=asked), asked=asked))
            await ledger.finish(change(revision=1))

            assert await ledger.recorded_result(asked.id) is None

    async def test_another_persons_request_is_not_found(self, ready: Stores, ada: str, ben: str) -> None:
        asked = request()
        await self._finish(ready, ada, change(given(1, asked=asked), asked=asked))

        assert await ready.consents.recorded_result(ben, asked.id) is None

    async def test_events_come_newest_first_in_pages(self, ready: Stores, ada: str) -> None:
        events = [given(revision) for revision in range(1, 6)]
        await self._finish(ready, ada, change(*events))

        first = await ready.consents.events(ada, below=None, limit=2)
        second = await ready.consents.events(ada, below=first[-1].revision, limit=10)

        assert [*first, *second] == events[::-1]

    async def test_persons_never_see_each_others_events(self, ready: Stores, ada: str, ben: str) -> None:
        await self._finish(ready, ada, change(given(1)))
        await self._finish(ready, ben, change(given(1, Purpose.LOCATION)))

        assert [event.purpose for event in await self._all(ready, ada)] == [Purpose.CLOUD_PROCESSING]

    async def test_a_grant_is_due_when_its_time_is_up(self, ready: Stores, ada: str) -> None:
        event = given(1)
        await self._finish(ready, ada, change(event))

        assert event.expire_time is not None
        assert ada not in await ready.consents.due(event.expire_time - SECOND, limit=100)
        assert ada in await ready.consents.due(event.expire_time, limit=100)
        assert ada in await ready.consents.due(event.expire_time, limit=100, since=event.expire_time - SECOND)
        assert ada not in await ready.consents.due(event.expire_time, limit=100, since=event.expire_time)
        assert ada not in await ready.consents.due(event.expire_time, limit=100, without={ada})

    async def test_a_grant_that_ended_or_was_renewed_is_not_due(self, ready: Stores, ada: str, ben: str) -> None:
        long_after = NOW + timedelta(days=366)
        await self._finish(ready, ada, change(given(1), ended(2)))
        await self._finish(ready, ben, change(given(1), given(2, time=long_after)))

        assert not {ada, ben} & set(await ready.consents.due(long_after, limit=100))

    async def test_changes_are_unfinished_from_their_begin_to_their_end(self, ready: Stores, ada: str) -> None:
        begun = change(given(1))
        async with ready.consents.locked(ada) as ledger:
            await ledger.begin(begun)
            assert ada not in await ready.consents.unfinished(NOW, limit=100)
            assert ada in await ready.consents.unfinished(NOW + SECOND, limit=100)

            await ledger.finish(begun)

        assert ada not in await ready.consents.unfinished(NOW + SECOND, limit=100)

    async def test_the_oldest_unfinished_change_comes_first(self, ready: Stores, ada: str, ben: str) -> None:
        for subject, time in [(ada, NOW), (ben, NOW - SECOND)]:
            async with ready.consents.locked(subject) as ledger:
                await ledger.begin(change(given(1), time=time))

        assert await ready.consents.unfinished(NOW + SECOND, limit=1) == [ben]

    async def test_only_one_at_a_time_holds_a_persons_ledger(self, ready: Stores, ada: str) -> None:
        inside: list[int] = []

        async def hold() -> None:
            async with ready.consents.locked(ada) as ledger:
                inside.append(1)
                await ledger.history()
                assert len(inside) == 1
                inside.pop()

        await asyncio.gather(*(hold() for _ in range(4)))

    async def test_another_persons_ledger_is_not_held(self, ready: Stores, ada: str, ben: str) -> None:
        async with ready.consents.locked(ada), asyncio.timeout(5), ready.consents.locked(ben) as ledger:
            assert await ledger.history() == History()

    async def test_an_erasure_deletes_what_was_until_then(self, ready: Stores, ada: str, ben: str) -> None:
        asked = request()
        shown = await ready.notices.record_serving(ada, serving(), request(), limit=LIMIT)
        for subject in (ada, ben):
            await self._finish(ready, subject, change(given(1, asked=asked), asked=asked))
        async with ready.consents.locked(ada) as ledger:
            deleted = await ledger.purge(NOW)

        assert deleted["consent.table.consent_event"] == 1
        assert deleted["consent.table.notice_serving"] == 1
        assert deleted["consent.table.request"] == 1
        assert await ready.consents.history(ada) == History()
        assert await ready.consents.recorded_result(ada, asked.id) is None
        assert await ready.notices.serving(ada, shown.id) is None
        assert len(await self._all(ready, ben)) == 1

    async def test_what_came_after_an_erasure_stays_as_it_was(self, ready: Stores, ada: str) -> None:
        later, asked = NOW + SECOND, request()
        kept = given(2, Purpose.OLDER_MEDIA, time=later, asked=asked)
        shown = await ready.notices.record_serving(ada, serving(later), request(), limit=LIMIT)
        await self._finish(ready, ada, change(given(1)))
        await self._finish(ready, ada, change(kept, asked=asked, time=later))
        async with ready.consents.locked(ada) as ledger:
            await ledger.purge(NOW)

        assert list(await self._all(ready, ada)) == [kept]
        assert (await ready.consents.history(ada)).revision == 2
        assert await ready.consents.recorded_result(ada, asked.id) is not None
        assert await ready.notices.serving(ada, shown.id) == shown

    async def test_erasing_a_person_unknown_is_no_error(self, ready: Stores, ada: str) -> None:
        async with ready.consents.locked(ada) as ledger:
            assert not any((await ledger.purge(NOW)).values())

    async def test_a_person_can_come_back_after_an_erasure(self, ready: Stores, ada: str) -> None:
        await self._finish(ready, ada, change(given(1)))
        async with ready.consents.locked(ada) as ledger:
            await ledger.purge(NOW)
        again = given(1, time=NOW + SECOND)

        await self._finish(ready, ada, change(again))

        assert list(await self._all(ready, ada)) == [again]

    async def test_a_published_notice_can_be_found(self, ready: Stores) -> None:
        found = await ready.notices.notice(RELEASED().digest)

        assert found is not None
        assert (found.notice, found.publish_time, found.current) == (RELEASED(), NOW, True)

    async def test_a_notice_that_was_never_published_is_not_found(self, ready: Stores) -> None:
        assert await ready.notices.notice("0" * 64) is None

    async def test_the_newest_edition_is_current_whatever_the_order_of_publishing(self, ready: Stores) -> None:
        newer, older = edition("2099-01-01"), edition("2020-01-01")
        await ready.notices.publish([newer, older], now=NOW + SECOND)

        assert (await ready.notices.current()).notice == newer
        listed = await ready.notices.notices(below_edition=None, limit=10)
        assert [(p.notice, p.current) for p in listed] == [(newer, True), (RELEASED(), False), (older, False)]

    async def test_notices_come_newest_first_in_pages(self, ready: Stores) -> None:
        await ready.notices.publish([edition("2020-01-01"), edition("2020-01-02")], now=NOW)

        (first,) = await ready.notices.notices(below_edition=None, limit=1)
        rest = await ready.notices.notices(below_edition=first.notice.bundle.edition, limit=10)

        assert [p.notice.bundle.edition for p in rest] == ["2020-01-02", "2020-01-01"]

    async def test_publishing_again_keeps_the_time(self, ready: Stores) -> None:
        await ready.notices.publish([RELEASED()], now=NOW + SECOND)

        assert (await ready.notices.current()).publish_time == NOW

    async def test_an_edition_cannot_be_published_with_other_words(self, ready: Stores) -> None:
        changed = reopen_notice(RELEASED().canonical_json.replace(b"Pellicule", b"Somebody"))

        with pytest.raises(NoticeInvalid, match=RELEASED().bundle.edition):
            await ready.notices.publish([changed], now=NOW)

    async def test_a_serving_is_found_as_it_was_recorded(self, ready: Stores, ada: str) -> None:
        shown = serving()

        assert await ready.notices.record_serving(ada, shown, request(), limit=LIMIT) == shown
        assert await ready.notices.serving(ada, shown.id) == shown

    async def test_a_serving_recorded_again_is_the_first_one(self, ready: Stores, ada: str) -> None:
        first, asked = serving(), request()
        await ready.notices.record_serving(ada, first, asked, limit=LIMIT)

        assert await ready.notices.record_serving(ada, serving(), asked, limit=LIMIT) == first

    async def test_a_request_id_cannot_record_two_servings(self, ready: Stores, ada: str) -> None:
        asked = request()
        await ready.notices.record_serving(ada, serving(), asked, limit=LIMIT)

        with pytest.raises(RequestIdReused):
            await ready.notices.record_serving(ada, serving(), replace(asked, sha256="2" * 64), limit=LIMIT)

    async def test_more_servings_than_a_day_may_have_are_refused_until_the_first_is_a_day_old(
        self, ready: Stores, ada: str, ben: str
    ) -> None:
        asked = request()
        first = await ready.notices.record_serving(ada, serving(), asked, limit=LIMIT)
        for seconds in range(1, LIMIT.most):
            await ready.notices.record_serving(ada, serving(NOW + seconds * SECOND), request(), limit=LIMIT)

        with pytest.raises(LimitReached) as refused:
            await ready.notices.record_serving(ada, serving(NOW + 60 * SECOND), request(), limit=LIMIT)
        assert refused.value.retry_after == DAY - 60 * SECOND
        assert await ready.notices.record_serving(ada, serving(), asked, limit=LIMIT) == first
        await ready.notices.record_serving(ben, serving(NOW + 60 * SECOND), request(), limit=LIMIT)
        await ready.notices.record_serving(ada, serving(NOW + DAY), request(), limit=LIMIT)

    async def test_the_times_of_the_last_answers_are_told_newest_first(self, ready: Stores, ada: str, ben: str) -> None:
        for seconds in range(4):
            asked, time = request(), NOW + seconds * SECOND
            await self._finish(ready, ada, change(given(seconds + 1, asked=asked, time=time), asked=asked, time=time))

        async with ready.consents.locked(ada) as ledger:
            assert await ledger.answer_times(since=NOW, limit=2) == [NOW + 3 * SECOND, NOW + 2 * SECOND]
            assert len(await ledger.answer_times(since=NOW, limit=10)) == 3
        async with ready.consents.locked(ben) as ledger:
            assert await ledger.answer_times(since=NOW, limit=10) == []

    async def test_another_persons_serving_is_not_found(self, ready: Stores, ada: str, ben: str) -> None:
        shown = await ready.notices.record_serving(ada, serving(), request(), limit=LIMIT)

        assert await ready.notices.serving(ben, shown.id) is None

    async def test_a_policy_can_be_kept_twice(self, ready: Stores) -> None:
        policy = POLICY()
        for _ in range(2):
            await ready.notices.record_policy(policy, now=NOW)
