"""Change of what the owner of a media may change: whether it is marked, and whether it is hidden."""

from dataclasses import dataclass, replace
from uuid import UUID

from services.chassis.errors import DependencyUnavailable, LimitReached
from services.chassis.seal import seal_bytes
from services.ingest.domain.media import Media, MediaMetadata, media_name
from services.ingest.domain.quota import MOST_EVENTS
from services.ingest.domain.records import MediaRow
from services.ingest.domain.seals import lookup_tag
from services.ingest.errors import QuotaExceeded, RequestIdReused
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.find_media import find_media, get_media, open_media
from services.ingest.ports import Request
from services.ingest.ports.outcomes import MediaUpdate
from services.keyring import metadata_aad

_ATTEMPTS = 5


@dataclass(frozen=True)
class OwnerMarks:
    """What the owner says of a media; None leaves as it is."""

    favorite: bool | None = None
    hidden: bool | None = None

    def on(self, metadata: MediaMetadata) -> MediaMetadata:
        """Return what is known of the media once this is said."""
        return replace(metadata, **{name: mark for name, mark in vars(self).items() if mark is not None})


async def update_media(
    dependencies: Dependencies, *, subject: str, media_id: UUID, marks: OwnerMarks, request_id: UUID | None
) -> Media:
    """Mark a media and return it as it is then; what is so already is told to no one.

    Raises:
        MediaNotFound: the person has none of this name that opens.
        RequestIdReused: the request_id was used for another request.
        QuotaExceeded: the person's share is used up, and what marks may go beyond it.
        LimitReached: too many changes of the person's are not told yet.
    """
    request = None if request_id is None else await _request(dependencies, subject, media_id, marks, request_id)
    for _ in range(_ATTEMPTS):
        row, key = await find_media(dependencies, subject, media_id)
        media = open_media(dependencies, row, key)
        changed = replace(media, metadata=marks.on(media.metadata))
        match await _store(dependencies, row, key, media, changed, request):
            case MediaUpdate.STORED:
                return changed
            case MediaUpdate.REPEATED:
                return await get_media(dependencies, subject=subject, media_id=media_id)
            case MediaUpdate.REQUEST_ID_REUSED if request is not None:
                raise RequestIdReused.of(request.id)
            case MediaUpdate.NO_ROOM:
                raise QuotaExceeded.of(dependencies.policy.quota_bytes)
            case MediaUpdate.TOO_MANY_EVENTS:
                raise LimitReached.of("caller", "changes of media that were not told yet", MOST_EVENTS)
    raise DependencyUnavailable("the media changes too fast: call again")


async def _request(
    dependencies: Dependencies, subject: str, media_id: UUID, marks: OwnerMarks, request_id: UUID
) -> Request:
    """Return the request with a keyed digest: four marks are soon tried out."""
    await find_media(dependencies, subject, media_id)
    said = f"{media_name(media_id)}|{marks.favorite}|{marks.hidden}"
    lookup_key = await dependencies.lookup_keys.open(subject)
    return Request(request_id, lookup_tag(lookup_key, "UpdateMedia", said.encode()))


async def _store(
    dependencies: Dependencies, row: MediaRow, key: bytes, media: Media, changed: Media, request: Request | None
) -> MediaUpdate:
    now, quota = dependencies.clock.now(), dependencies.policy.quota.with_margin
    if changed == media:
        return await dependencies.media.update(row, None, request, now, quota=quota)
    known = dependencies.codec.encode_metadata(changed.metadata)
    resealed = replace(
        row,
        sealed_metadata=seal_bytes(key, known, metadata_aad(row.data_key_id)),
        metadata_revision=row.metadata_revision + 1,
    )
    event = dependencies.codec.media_updated(resealed)
    return await dependencies.media.update(resealed, event, request, now, quota=quota)
