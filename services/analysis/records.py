"""Findings as bytes, ready to be sealed, and back: JSON for what has names, raw numbers for vectors."""

import json
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np

from services.analysis.domain import ParkedReason
from services.analysis.findings import (
    Embedding,
    FoundFace,
    Kind,
    Metadata,
    Parked,
    Place,
    Position,
    Seen,
    Tag,
    Templates,
)

Json: TypeAlias = dict[str, Any]
_LENGTH: Final = struct.Struct(">I")
_FLOAT: Final = np.dtype("<f4")


def record_aad(data_key_id: str, purpose: str) -> bytes:
    """Returns what the seal of a record or an object is bound to."""
    return f"{data_key_id}|{purpose}".encode()


def metadata_aad(data_key_id: str) -> bytes:
    """Returns what the seal of ingest's metadata is bound to."""
    return f"{data_key_id}|metadata".encode()


def dump_seen(seen: Seen | Parked) -> bytes:
    """Returns the record kept for the media's own purpose."""
    if isinstance(seen, Parked):
        return _pack({"parked": {"reason": seen.reason.value, "detail": seen.detail}}, ())
    body: Json = {
        "metadata": _metadata(seen.metadata),
        "kind": [seen.kind.value, seen.kind_score],
        "tags": [[tag.name, tag.score] for tag in seen.tags],
        "faces": [[face.box, face.score, face.landmarks] for face in seen.faces],
        "quality": [seen.sharpness, seen.exposure],
        "hash": f"{seen.perceptual_hash:016x}",
    }
    return _pack(body, (seen.embedding,))


def load_seen(record: bytes) -> Seen | Parked:
    """Reads what `dump_seen` wrote."""
    body, vectors = _unpack(record)
    if "parked" in body:
        return Parked(ParkedReason(body["parked"]["reason"]), body["parked"]["detail"])
    return Seen(
        metadata=_read_metadata(body["metadata"]),
        kind=Kind(body["kind"][0]),
        kind_score=body["kind"][1],
        tags=tuple(Tag(name, score) for name, score in body["tags"]),
        faces=tuple(_read_face(*face) for face in body["faces"]),
        sharpness=body["quality"][0],
        exposure=body["quality"][1],
        perceptual_hash=int(body["hash"], 16),
        embedding=vectors[0],
    )


def dump_place(place: Place) -> bytes:
    """Returns the record kept for LOCATION; as long for a picture without a place as for one with it."""
    position = place.position
    numbers = [] if position is None else [position.latitude, position.longitude]
    return json.dumps({"position": numbers}).ljust(96).encode()


def load_place(record: bytes) -> Place:
    """Reads what `dump_place` wrote."""
    numbers = json.loads(record)["position"]
    return Place(Position(*numbers) if numbers else None)


def dump_templates(templates: Templates) -> bytes:
    """Returns the record kept for FACE_GROUPING."""
    return _pack({"faces": list(templates.by_face)}, tuple(templates.by_face.values()))


def load_templates(record: bytes) -> Templates:
    """Reads what `dump_templates` wrote."""
    body, vectors = _unpack(record)
    return Templates(dict(zip(body["faces"], vectors, strict=True)))


def _pack(body: Json, vectors: Sequence[Embedding]) -> bytes:
    lengths = [len(vector) for vector in vectors]
    text = json.dumps({**body, "vectors": lengths}, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *(vector.astype(_FLOAT).tobytes() for vector in vectors)))


def _unpack(record: bytes) -> tuple[Json, list[Embedding]]:
    end = _LENGTH.size + _LENGTH.unpack_from(record)[0]
    body = json.loads(record[_LENGTH.size : end])
    numbers = np.frombuffer(record, _FLOAT, offset=end)
    edges = np.cumsum(body["vectors"], dtype=int)[:-1]
    return body, np.split(numbers, edges) if body["vectors"] else []


def _metadata(metadata: Metadata) -> Json:
    time, offset = metadata.capture_time, metadata.utc_offset
    return {
        "size": [metadata.width, metadata.height],
        "orientation": metadata.orientation,
        "time": None if time is None else time.astimezone(UTC).isoformat(),
        "offset": None if offset is None else offset.total_seconds(),
        "favorite": metadata.favorite,
        "screenshot": metadata.screenshot,
    }


def _read_metadata(body: Mapping[str, Any]) -> Metadata:
    time, offset = body["time"], body["offset"]
    return Metadata(
        width=body["size"][0],
        height=body["size"][1],
        orientation=body["orientation"],
        capture_time=None if time is None else datetime.fromisoformat(time),
        utc_offset=None if offset is None else timedelta(seconds=offset),
        favorite=body["favorite"],
        screenshot=body["screenshot"],
    )


def _read_face(box: list[float], score: float, landmarks: list[list[float]]) -> FoundFace:
    left, top, width, height = box
    return FoundFace((left, top, width, height), score, tuple((x, y) for x, y in landmarks))
