"""Rows of what is kept and of what was erased."""

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.ingest.v1 import device_pb2
from pellicule.retention.v1 import account_pb2, erasure_pb2
from services.cli.account import rows

NOON = Timestamp(seconds=1_800_000_000)


def test_an_erasure_says_what_each_store_deleted_and_what_is_outstanding() -> None:
    done = erasure_pb2.Erasure(
        name="erasures/1",
        state=erasure_pb2.ERASURE_STATE_KEYS_DESTROYED,
        keys_destroy_time=NOON,
        stores=[
            erasure_pb2.StorePurge(store="ingest.table.media", purged_count=3, purge_time=NOON),
            erasure_pb2.StorePurge(store="ingest.bucket.media"),
        ],
    )
    first, media, bucket = rows.erased_lines(rows.erasure(done))
    assert first == f"erasures/1: keys_destroyed, keys destroyed at {NOON.ToJsonString()}"
    assert media.split() == ["ingest.table.media", "3", "deleted"]
    assert bucket.endswith("0 deleted (outstanding)")


def test_a_deletion_that_has_not_begun_says_when_it_begins() -> None:
    asked = account_pb2.AccountDeletion(
        name="accountDeletions/1", state=account_pb2.ACCOUNT_DELETION_STATE_SCHEDULED, start_time=NOON
    )
    row = rows.account_deletion(asked)
    assert (row["state"], row["keys_destroyed_at"]) == ("SCHEDULED", None)
    assert list(rows.erased_lines(row)) == [f"accountDeletions/1: scheduled, begins at {NOON.ToJsonString()}"]


def test_a_device_that_was_never_revoked_says_so_by_nothing() -> None:
    row = rows.device(device_pb2.Device(name="devices/1", platform=device_pb2.DEVICE_PLATFORM_IOS))
    assert (row["platform"], row["revoked_at"]) == ("ios", None)
