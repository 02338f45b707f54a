from datetime import UTC, datetime

import pytest

from pellicule.internal.retention.v1 import purge_order_pb2
from pellicule.type.v1 import purpose_pb2
from services.keyring import PURPOSES, Erasure, ErasureState, PurgeCause, StorePurge, SubjectScope
from services.keyring.translation import erasure, erasure_message, purge_order, purpose_number, purpose_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_purpose_has_a_number_and_the_number_leads_back() -> None:
    assert [purpose_of(purpose_number(purpose)) for purpose in PURPOSES] == list(PURPOSES)


@pytest.mark.parametrize("number", [purpose_pb2.PURPOSE_UNSPECIFIED, 99])
def test_a_number_that_names_no_purpose_is_refused(number: purpose_pb2.Purpose.ValueType) -> None:
    with pytest.raises(ValueError, match=str(number) if number else "UNSPECIFIED"):
        purpose_of(number)


@pytest.mark.parametrize("purge_time", [None, NOW])
def test_an_erasure_is_passed_on_as_it_was_told(purge_time: datetime | None) -> None:
    stores = (StorePurge("ingest.table.media", "ingest", 1, purge_time),)
    state = ErasureState.KEYS_DESTROYED if purge_time is None else ErasureState.PURGED
    told = Erasure("erasures/1", "media/2", state, NOW, NOW, purge_time, stores)

    assert erasure(erasure_message(told)) == told


def test_an_order_about_an_account_says_so() -> None:
    message = purge_order_pb2.PurgeOrder(
        name="purgeOrders/1", subject="a" * 32, cause=purge_order_pb2.PURGE_CAUSE_ACCOUNT_DELETION
    )
    message.whole_subject.revision = 7
    message.whole_subject.erase_time.FromDatetime(NOW)
    message.whole_subject.account = True

    order = purge_order(message)

    assert (order.cause, order.scope) == (PurgeCause.ACCOUNT_DELETION, SubjectScope(7, NOW, account=True))


def test_every_cause_is_known() -> None:
    names = purge_order_pb2.PurgeCause.keys()[1:]

    assert names == [f"PURGE_CAUSE_{cause}" for cause in PurgeCause]
