from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.retention.domain.keys import (
    DataKeyRequest,
    DestroyedKey,
    DestroyedPurpose,
    Purpose,
    ends_first,
    is_too_far,
    new_media,
    older_media,
)
from services.retention.domain.orders import DataKeyScope, PurgeCause, key_orders, purpose_orders
from services.retention.domain.revocation import key_revocations

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SERVICES = ("ingest", "analysis")


class TestOrders:
    def test_every_service_learns_of_every_key_of_a_person(self) -> None:
        destroyed = [DestroyedKey("1", "ada"), DestroyedKey("2", "ben"), DestroyedKey("3", "ada")]
        orders = key_orders(destroyed, SERVICES, PurgeCause.DEADLINE, NOW)
        assert {(order.service, order.subject, order.scope) for order in orders} == {
            (service, subject, scope)
            for service in SERVICES
            for subject, scope in (("ada", DataKeyScope(("1", "3"))), ("ben", DataKeyScope(("2",))))
        }

    def test_an_order_names_a_thousand_keys_at_most(self) -> None:
        destroyed = [DestroyedKey(str(number), "ada") for number in range(2001)]
        orders = key_orders(destroyed, ("ingest",), PurgeCause.ERASURE, NOW, uuid4())
        assert [len(order.scope.ids) for order in orders if isinstance(order.scope, DataKeyScope)] == [1000, 1000, 1]

    def test_nothing_destroyed_orders_nothing(self) -> None:
        assert key_orders([], SERVICES, PurgeCause.DEADLINE, NOW) == []

    def test_a_destroyed_purpose_is_an_order_to_ourselves_as_well(self) -> None:
        orders = purpose_orders("ada", DestroyedPurpose(Purpose.LOCATION, 7), SERVICES, NOW)
        assert [order.service for order in orders] == ["ingest", "analysis", "retention"]

    def test_holders_hear_of_each_person_once(self) -> None:
        destroyed = [DestroyedKey("1", "ada"), DestroyedKey("2", "ada")]
        [revocation] = key_revocations(destroyed)
        assert (revocation.subject, revocation.data_key_ids) == ("ada", ("1", "2"))


class TestMedia:
    def test_a_media_comes_in_with_the_key_that_names_it_alone(self) -> None:
        media, other = uuid4(), uuid4()
        requests = [DataKeyRequest(NOW, (media,)), DataKeyRequest(NOW, (media, other)), DataKeyRequest(NOW, ())]
        assert new_media(Purpose.CLOUD_PROCESSING, requests, ()) == {media: NOW}

    def test_it_ends_with_the_last_of_its_first_keys(self) -> None:
        media = uuid4()
        requests = [DataKeyRequest(NOW + 2 * DAY, (media,)), DataKeyRequest(NOW + DAY, (media,))]
        assert new_media(Purpose.OLDER_MEDIA, requests, ()) == {media: NOW + 2 * DAY}

    def test_a_known_media_does_not_come_in_again(self) -> None:
        media = uuid4()
        assert new_media(Purpose.CLOUD_PROCESSING, [DataKeyRequest(NOW, (media,))], {media}) == {}

    @pytest.mark.parametrize("purpose", [Purpose.LOCATION, Purpose.FACE_GROUPING, Purpose.MODEL_IMPROVEMENT])
    def test_no_media_comes_in_under_another_purpose(self, purpose: Purpose) -> None:
        assert new_media(purpose, [DataKeyRequest(NOW, (uuid4(),))], ()) == {}

    def test_a_derivation_ends_with_the_first_of_its_media(self) -> None:
        first, second = uuid4(), uuid4()
        request = DataKeyRequest(NOW + 9 * DAY, (first, second, uuid4()))
        assert ends_first(request, {first: NOW + DAY, second: NOW + 2 * DAY}).delete_time == NOW + DAY

    def test_a_derivation_may_end_before_its_media(self) -> None:
        media = uuid4()
        assert ends_first(DataKeyRequest(NOW, (media,)), {media: NOW + DAY}).delete_time == NOW

    def test_older_media_are_those_named_alone(self) -> None:
        old, new = uuid4(), uuid4()
        assert older_media([(old,), (old, new), ()]) == {old}


@pytest.mark.parametrize(
    ("ahead", "too_far"),
    [(timedelta(), True), (timedelta(seconds=1), False), (30 * DAY, False), (30 * DAY + timedelta(hours=2), True)],
)
def test_a_deadline_lies_between_now_and_the_longest_retention(ahead: timedelta, too_far: bool) -> None:
    assert is_too_far(NOW + ahead, NOW, 30) == too_far
