"""Findings as bytes, ready to be sealed, and back: JSON for what has names, raw numbers for vectors."""

import json
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np

from services.analysis.domain.findings import (
    Box,
    Embedding,
    FoundFace,
    Kind,
    Meaning,
    Metadata,
    Parked,
    Place,
    Position,
    Rating,
    SceneFindings,
    Sensitivity,
    Tag,
    Templates,
    TextLine,
    Writing,
)
from services.analysis.domain.media import ParkedReason

Json: TypeAlias = dict[str, Any]
_LENGTH: Final = struct.Struct(">I")
_FLOAT: Final = np.dtype("<f4")
_HALF: Final = np.dtype("<f2")


def dump_scene(scene: SceneFindings | Parked) -> bytes:
    """Return the record kept for the media's own purpose."""
    if isinstance(scene, Parked):
        return _pack({"parked": {"reason": scene.reason.value, "detail": scene.detail}}, ())
    body: Json = {
        "metadata": _metadata(scene.metadata),
        "kind": [scene.kind.value, scene.kind_score],
        "tags": [[tag.name, tag.score] for tag in scene.tags],
        "faces": [[face.box, face.score, face.landmarks] for face in scene.faces],
        "quality": [scene.sharpness, scene.exposure],
        "hash": f"{scene.perceptual_hash:016x}",
        "rating": None if scene.rating is None else [scene.rating.level.value, scene.rating.score],
        "writing": [scene.writing.area, [[line.text, line.score, line.box] for line in scene.writing.lines]],
        "space": None if scene.meaning is None else scene.meaning.space,
    }
    return _pack(body, (scene.embedding,), () if scene.meaning is None else (scene.meaning.vector,))


def load_scene(record: bytes) -> SceneFindings | Parked:
    """Read what `dump_scene` wrote, also before it knew of ratings, writing and meaning."""
    body, vectors = _unpack(record)
    if "parked" in body:
        return Parked(ParkedReason(body["parked"]["reason"]), body["parked"]["detail"])
    return SceneFindings(
        metadata=_read_metadata(body["metadata"]),
        kind=Kind(body["kind"][0]),
        kind_score=body["kind"][1],
        tags=tuple(Tag(name, score) for name, score in body["tags"]),
        faces=tuple(_read_face(*face) for face in body["faces"]),
        sharpness=body["quality"][0],
        exposure=body["quality"][1],
        perceptual_hash=int(body["hash"], 16),
        embedding=vectors[0],
        rating=_read_rating(body.get("rating")),
        writing=_read_writing(*body.get("writing", (0.0, ()))),
        meaning=Meaning(vectors[1], body["space"]) if body.get("space") else None,
    )


def dump_place(place: Place) -> bytes:
    """Return the record kept for LOCATION; as long for a picture without a place as for one with it."""
    position = place.position
    numbers = [] if position is None else [position.latitude, position.longitude]
    return json.dumps({"position": numbers}).ljust(96).encode()


def load_place(record: bytes) -> Place:
    """Read what `dump_place` wrote."""
    numbers = json.loads(record)["position"]
    return Place(Position(*numbers) if numbers else None)


def dump_templates(templates: Templates) -> bytes:
    """Return the record kept for FACE_GROUPING."""
    return _pack({"faces": list(templates.by_face)}, tuple(templates.by_face.values()))


def load_templates(record: bytes) -> Templates:
    """Read what `dump_templates` wrote."""
    body, vectors = _unpack(record)
    return Templates(dict(zip(body["faces"], vectors, strict=True)))


def _pack(body: Json, vectors: Sequence[Embedding], halves: Sequence[Embedding] = ()) -> bytes:
    """Write names as JSON and vectors behind it, first those in full and then those at half precision."""
    lengths = {"vectors": [len(vector) for vector in vectors], "halves": [len(vector) for vector in halves]}
    text = json.dumps({**body, **lengths}, separators=(",", ":")).encode()
    numbers = [vector.astype(_FLOAT).tobytes() for vector in vectors] + [
        each.astype(_HALF).tobytes() for each in halves
    ]
    return b"".join((_LENGTH.pack(len(text)), text, *numbers))


def _unpack(record: bytes) -> tuple[Json, list[Embedding]]:
    end = _LENGTH.size + _LENGTH.unpack_from(record)[0]
    body = json.loads(record[_LENGTH.size : end])
    found: list[Embedding] = []
    for kind, lengths in ((_FLOAT, body["vectors"]), (_HALF, body.get("halves", ()))):
        for length in lengths:
            found.append(np.frombuffer(record, kind, length, end).astype(np.float32, copy=False))
            end += length * kind.itemsize
    return body, found


def _metadata(metadata: Metadata) -> Json:
    time, offset = metadata.capture_time, metadata.utc_offset
    return {
        "size": [metadata.width, metadata.height],
        "orientation": metadata.orientation,
        "time": None if time is None else time.astimezone(UTC).isoformat(),
        "offset": None if offset is None else offset.total_seconds(),
        "favorite": metadata.favorite,
        "screenshot": metadata.screenshot,
        "hidden": metadata.hidden,
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
        hidden=body.get("hidden", False),
    )


def _read_face(box: list[float], score: float, landmarks: list[list[float]]) -> FoundFace:
    return FoundFace(_read_box(box), score, tuple((x, y) for x, y in landmarks))


def _read_rating(body: list[Any] | None) -> Rating | None:
    return None if body is None else Rating(Sensitivity(body[0]), body[1])


def _read_writing(area: float, lines: Sequence[tuple[str, float, Sequence[float]]]) -> Writing:
    return Writing(area, tuple(TextLine(text, score, _read_box(box)) for text, score, box in lines))


def _read_box(box: Sequence[float]) -> Box:
    left, top, width, height = box
    return left, top, width, height
