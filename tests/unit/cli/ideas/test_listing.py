"""Rows of ideas: for programs in words that stay, for people in their language."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from pellicule.type.v1 import byte_stream_pb2
from services.cli import outages
from services.cli.client import Services
from services.cli.ideas import listing

IDEA = suggestion_pb2.Suggestion(
    name="suggestions/1",
    kind=suggestion_pb2.SUGGESTION_KIND_THEME,
    title="Chiens",
    media=["media/1", "media/2"],
    state=suggestion_pb2.SUGGESTION_STATE_READY,
    evidence=[
        suggestion_pb2.Evidence(
            signal=suggestion_pb2.EVIDENCE_SIGNAL_TAG, value="dog", label="chien", media_count=2, score=1.0
        )
    ],
    renditions=[suggestion_pb2.Rendition(name="suggestions/1/renditions/hero", layout="hero")],
)


def test_evidence_is_named_for_programs_and_labelled_for_people() -> None:
    row = listing.idea(IDEA, {}, [])
    assert row["evidence"] == [{"signal": "tag", "value": "dog", "label": "chien", "media_count": 2, "score": 1.0}]


def test_photos_are_named_as_imported_and_by_resource_where_the_name_is_not_known() -> None:
    assert listing.idea(IDEA, {"media/1": "a.jpg"}, [])["media"] == ["a.jpg", "media/2"]


def test_a_picture_that_was_saved_has_its_file() -> None:
    saved = listing.idea(IDEA, {}, ["01-theme.jpg"])["renditions"]
    assert [each["file"] for each in cast("list[dict[str, object]]", saved)] == ["01-theme.jpg"]


class _Suggestion:
    """Breaks after every chunk but the last."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.offsets: list[int] = []

    async def ReadRendition(  # noqa: N802  # as in the contract
        self, request: suggestion_service_pb2.ReadRenditionRequest, **_: object
    ) -> AsyncIterator[suggestion_service_pb2.ReadRenditionResponse]:
        self.offsets.append(request.offset)
        header = byte_stream_pb2.ByteStreamHeader(size_bytes=len(self._content), offset=request.offset)
        yield suggestion_service_pb2.ReadRenditionResponse(header=header)
        yield suggestion_service_pb2.ReadRenditionResponse(chunk=self._content[request.offset : request.offset + 4])
        if request.offset + 4 < len(self._content):
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())


async def test_a_picture_whose_stream_breaks_is_read_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "_LONGEST_PAUSE_SECONDS", 0.0)
    broken = _Suggestion(b"0123456789")
    services = cast("Services", cast("Any", SimpleNamespace(suggestion=broken, headers=(), stack_runs=lambda: True)))

    (name,) = await listing.save_renditions(services, IDEA, 1, tmp_path)

    assert (tmp_path / name).read_bytes() == b"0123456789"
    assert broken.offsets == [0, 4, 8]
