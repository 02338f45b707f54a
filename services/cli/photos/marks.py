"""Marks that the owner of a photo may change: favourite and hidden."""

from __future__ import annotations

from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.client import SHORT_CALL_SECONDS, Services


async def mark(services: Services, name: str, *, favorite: bool | None, hidden: bool | None) -> dict[str, object]:
    """Change what is not None of a media, `media/{uuid}`, and return its row."""
    changes = {field: value for field, value in (("favorite", favorite), ("hidden", hidden)) if value is not None}
    request = media_service_pb2.UpdateMediaRequest(
        media=media_pb2.Media(name=name, favorite=bool(favorite), hidden=bool(hidden)),
        update_mask=FieldMask(paths=sorted(changes)),
        request_id=str(uuid4()),
    )
    reply = await services.media.UpdateMedia(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return {"file": reply.media.file_name, "favorite": reply.media.favorite, "hidden": reply.media.hidden}
