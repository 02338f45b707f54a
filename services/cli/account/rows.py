"""Rows about what is kept of a person and what was erased, for scripts, and lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.ingest.v1 import device_pb2, media_pb2, media_service_pb2
from pellicule.retention.v1 import account_pb2, erasure_pb2

Row = dict[str, object]


def usage(reply: media_service_pb2.GetUsageResponse) -> Row:
    """Return how much of the store a person uses."""
    return {
        "used_bytes": reply.used_bytes,
        "quota_bytes": reply.quota_bytes,
        "media": reply.media_count,
        "open_uploads": reply.open_upload_count,
    }


def upload(open_upload: media_pb2.Upload) -> Row:
    """Return the row of an upload that is open."""
    return {
        "name": open_upload.name,
        "committed_bytes": open_upload.committed_size_bytes,
        "size_bytes": open_upload.size_bytes,
        "started_at": _time(open_upload.create_time),
        "expires_at": _time(open_upload.expire_time),
    }


def device(registered: device_pb2.Device) -> Row:
    """Return the row of a device."""
    return {
        "name": registered.name,
        "display_name": registered.display_name,
        "platform": device_pb2.DevicePlatform.Name(registered.platform).removeprefix("DEVICE_PLATFORM_").lower(),
        "build": registered.build,
        "last_seen_at": _time(registered.last_seen_time),
        "revoked_at": _time(registered.revoke_time),
    }


def erasure(done: erasure_pb2.Erasure) -> Row:
    """Return the row of an erasure."""
    return {
        "name": done.name,
        "state": erasure_pb2.ErasureState.Name(done.state).removeprefix("ERASURE_STATE_"),
        "media": done.media or None,
        "keys_destroyed_at": _time(done.keys_destroy_time),
        "stores": _stores(done.stores),
    }


def account_deletion(asked: account_pb2.AccountDeletion) -> Row:
    """Return the row of the deletion of an account."""
    return {
        "name": asked.name,
        "state": account_pb2.AccountDeletionState.Name(asked.state).removeprefix("ACCOUNT_DELETION_STATE_"),
        "starts_at": _time(asked.start_time),
        "keys_destroyed_at": _time(asked.keys_destroy_time),
        "stores": _stores(asked.stores),
    }


def erased_lines(row: Row) -> Iterator[str]:
    """Yield what people read of an erasure or of the deletion of an account: one line, and one for each store."""
    state, keys = str(row["state"]).lower(), row["keys_destroyed_at"]
    yield f"{row['name']}: {state}, " + (f"keys destroyed at {keys}" if keys else f"begins at {row.get('starts_at')}")
    for store in cast("list[Row]", row["stores"]):
        outstanding = "" if store["purge_time"] else " (outstanding)"
        yield f"  {store['store']:<32} {store['purged']} deleted{outstanding}"


def _stores(stores: Iterable[erasure_pb2.StorePurge]) -> list[Row]:
    return [
        {"store": each.store, "service": each.service, "purged": each.purged_count,
         "purge_time": _time(each.purge_time)}
        for each in stores
    ]  # fmt: skip


def _time(stamp: Timestamp) -> str | None:
    return stamp.ToJsonString() if stamp.ByteSize() else None
