"""Server information: what this installation takes and offers, as a message."""

from datetime import datetime, timedelta
from importlib import metadata

from pellicule.ingest.v1 import media_service_pb2
from services.chassis.languages import OFFERED
from services.chassis.limits import CHUNK_BYTES
from services.ingest.domain.media import BATCH_FILE_LIMIT, MediaType
from services.ingest.domain.policy import Policy
from services.ingest.translation.requests import MAX_BATCH
from services.keyring import Purpose
from services.keyring.translation import purpose_number, timestamp


def server_info(policy: Policy, now: datetime) -> media_service_pb2.GetServerInfoResponse:
    """Return the limits that a policy sets, and the server's clock."""
    return media_service_pb2.GetServerInfoResponse(
        version=metadata.version("pellicule"),
        content_types=[each.value for each in MediaType],
        max_size_bytes=policy.max_bytes,
        max_pixels=policy.limits.max_pixels,
        max_side=policy.limits.max_side,
        reduced_long_side=policy.reduced_long_side,
        max_chunk_bytes=CHUNK_BYTES,
        max_batch_file_bytes=min(BATCH_FILE_LIMIT, policy.max_bytes),
        max_batch_count=MAX_BATCH,
        window_days=policy.window.days,
        retention_days=policy.retention.days,
        upload_hours=int(policy.upload_life / timedelta(hours=1)),
        language_codes=OFFERED,
        purposes=map(purpose_number, Purpose),
        server_time=timestamp(now),
    )
