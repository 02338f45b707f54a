"""Resources of the contract, made of plain data."""

from uuid import UUID

from google.rpc import status_pb2

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from pellicule.retention.v1 import erasure_pb2
from services.chassis.error_details import status_details
from services.chassis.errors import DomainError
from services.ingest.domain.media import Media, Upload, Usage, media_name, upload_name
from services.ingest.domain.quota import Quota
from services.ingest.domain.upload_plan import PlanItem
from services.ingest.translation.codec import metadata_message
from services.keyring import Erasure
from services.keyring.translation import purpose_number, timestamp

ERROR_DOMAIN = "ingest.pellicule"


def plan_item(item: PlanItem) -> media_pb2.PlanItem:
    """Return the plan for one asset."""
    return media_pb2.PlanItem(
        client_id=item.client_id,
        action=media_pb2.PlanAction.Value(f"PLAN_ACTION_{item.action}"),
        reason=media_pb2.PlanReason.Value(f"PLAN_REASON_{item.reason}"),
        media="" if item.media_id is None else media_name(item.media_id),
    )


def usage(each: Usage, quota: Quota) -> media_service_pb2.GetUsageResponse:
    """Return what a person uses."""
    return media_service_pb2.GetUsageResponse(
        used_bytes=quota.taken(each.used),
        quota_bytes=quota.size_bytes,
        media_count=each.media_count,
        open_upload_count=each.open_upload_count,
    )


def upload(each: Upload) -> media_pb2.Upload:
    """Return an upload."""
    return media_pb2.Upload(
        name=upload_name(each.id),
        committed_size_bytes=each.committed_bytes,
        size_bytes=each.size_bytes,
        expire_time=timestamp(each.expire_time),
        media="" if each.media_id is None else media_name(each.media_id),
        create_time=timestamp(each.create_time),
        client_id=each.client_id,
    )


def media(each: Media) -> media_pb2.Media:
    """Return a media."""
    known = metadata_message(each.metadata)
    return media_pb2.Media(
        name=media_name(each.id),
        sha256=known.sha256,
        form=known.form,
        size_bytes=known.size_bytes,
        content_type=known.content_type,
        width=known.width,
        height=known.height,
        orientation=known.orientation,
        file_name=known.file_name,
        capture_time=known.capture_time if known.HasField("capture_time") else None,
        capture_utc_offset=known.capture_utc_offset if known.HasField("capture_utc_offset") else None,
        favorite=known.favorite,
        screenshot=known.screenshot,
        hidden=known.hidden,
        upload_time=timestamp(each.upload_time),
        delete_time=timestamp(each.delete_time),
        purpose=purpose_number(each.purpose),
        missing=each.missing,
        capture_time_source=known.capture_time_source,
        capture_time_precision=known.capture_time_precision,
    )


def erasure(each: Erasure) -> erasure_pb2.Erasure:
    """Return an erasure."""
    return erasure_pb2.Erasure(
        name=each.name,
        media=each.media,
        state=erasure_pb2.ErasureState.Value(f"ERASURE_STATE_{each.state}"),
        request_time=timestamp(each.request_time),
        keys_destroy_time=timestamp(each.keys_destroy_time),
        purge_time=None if each.purge_time is None else timestamp(each.purge_time),
        stores=[
            erasure_pb2.StorePurge(
                store=store.store,
                service=store.service,
                purged_count=store.purged_count,
                purge_time=None if store.purge_time is None else timestamp(store.purge_time),
            )
            for store in each.stores
        ],
    )


def deletion(media_id: UUID, outcome: Erasure | DomainError) -> media_service_pb2.MediaDeletion:
    """Return what became of a media that was to be deleted."""
    name = media_name(media_id)
    if isinstance(outcome, DomainError):
        return media_service_pb2.MediaDeletion(media=name, error=status(outcome))
    return media_service_pb2.MediaDeletion(media=name, erasure=erasure(outcome))


def batch_answer(
    start: media_service_pb2.StartUploadRequest, outcome: Media | DomainError
) -> media_service_pb2.BatchUploadMediaResponse:
    """Return the answer to one file of a batch."""
    answer = media_service_pb2.BatchUploadMediaResponse(request_id=start.request_id, client_id=start.asset.client_id)
    if isinstance(outcome, DomainError):
        answer.error.CopyFrom(status(outcome))
    else:
        answer.media.CopyFrom(media(outcome))
    return answer


def status(error: DomainError) -> status_pb2.Status:
    """Return an error as the answer to a call of its own would bear it."""
    return status_pb2.Status.FromString(status_details(error, ERROR_DOMAIN))
