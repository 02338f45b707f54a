"""The analysis service as its contract describes it: over mTLS, with photos that a test puts there."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

import grpc
import numpy as np
from PIL import Image

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.internal.analysis.v1 import library_service_pb2
from pellicule.type.v1 import byte_stream_pb2
from services.chassis.access import AccessTable, ServiceNamed
from services.chassis.clock import SystemClock
from services.chassis.errors import DomainError, FieldInvalid, Status
from services.chassis.principal import current_subject
from services.chassis.server import running_server
from services.chassis.settings import ServiceSettings

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

ANALYSES = analysis_service_pb2.DESCRIPTOR.services_by_name["AnalysisService"].full_name
LIBRARY = library_service_pb2.DESCRIPTOR.services_by_name["LibraryService"].full_name
ACCESS: AccessTable = {
    f"/{LIBRARY}/ListLibrary": frozenset({ServiceNamed("suggestion")}),
    f"/{ANALYSES}/ReadPreview": frozenset({ServiceNamed("suggestion")}),
}
EMBEDDING_SIZE = 1280
MOST_ON_A_PAGE = 7


class MediaNotFound(DomainError):
    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"


class PurposeNotGranted(DomainError):
    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NOT_GRANTED"


class AnalysisStandIn:
    """Serves what `understand` was told of, a few on each page, by the two RPCs that are called.

    Attributes:
        refused: Subjects that have granted nothing.
        before_preview: Runs before each preview is sent.
        after_page: Runs after each page is put together.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._photos: dict[str, dict[str, library_service_pb2.LibraryEntry]] = {}
        self._serving: AsyncExitStack | None = None
        self.refused: set[str] = set()
        self.before_preview: Callable[[], None] = lambda: None
        self.after_page: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Serve, at the same address each time."""
        self._serving = AsyncExitStack()
        await self._serving.enter_async_context(
            running_server(
                name="analysis",
                settings=self._settings,
                register=self._register,
                service_names=[ANALYSES, LIBRARY],
                access=ACCESS,
                clock=SystemClock(),
            )
        )

    async def stop(self) -> None:
        """End: callers find no server."""
        if self._serving is not None:
            await self._serving.aclose()
            self._serving = None

    def understand(self, subject: str, entry: library_service_pb2.LibraryEntry) -> None:
        self._photos.setdefault(subject, {})[entry.analysis.media] = entry

    def hide(self, subject: str, media: str) -> None:
        self._photos[subject][media].analysis.findings.hidden = True

    def forget(self, subject: str, media: str) -> None:
        del self._photos[subject][media]

    async def ListLibrary(  # noqa: N802  # named in the contract
        self, request: library_service_pb2.ListLibraryRequest, context: "Context"
    ) -> library_service_pb2.ListLibraryResponse:
        subject = current_subject()
        if subject in self.refused:
            raise PurposeNotGranted("grant CLOUD_PROCESSING first", metadata={"purpose": "CLOUD_PROCESSING"})
        photos = self._photos.get(subject, {})
        names = list(photos)
        if request.page_token and request.page_token not in names:
            raise FieldInvalid.of("page_token", "begin again")
        start = names.index(request.page_token) + 1 if request.page_token else 0
        shown = names[start : start + min(request.page_size or 100, MOST_ON_A_PAGE)]
        more = bool(shown) and shown[-1] != names[-1]
        response = library_service_pb2.ListLibraryResponse(
            entries=[photos[name] for name in shown], next_page_token=shown[-1] if more else ""
        )
        self.after_page()
        return response

    async def ReadPreview(  # noqa: N802  # named in the contract
        self, request: analysis_service_pb2.ReadPreviewRequest, context: "Context"
    ) -> AsyncIterator[analysis_service_pb2.ReadPreviewResponse]:
        self.before_preview()
        entry = self._photos.get(current_subject(), {}).get(request.media)
        if entry is None:
            raise MediaNotFound("there is no such media", metadata={"media": request.media})
        content = picture(entry.analysis)
        header = byte_stream_pb2.ByteStreamHeader(content_type="image/jpeg", size_bytes=len(content))
        yield analysis_service_pb2.ReadPreviewResponse(header=header)
        for start in range(0, len(content), 1 << 16):
            yield analysis_service_pb2.ReadPreviewResponse(chunk=content[start : start + (1 << 16)])

    def _register(self, server: grpc.aio.Server) -> None:
        listing = grpc.unary_unary_rpc_method_handler(
            self.ListLibrary,
            request_deserializer=library_service_pb2.ListLibraryRequest.FromString,
            response_serializer=library_service_pb2.ListLibraryResponse.SerializeToString,
        )
        preview = grpc.unary_stream_rpc_method_handler(
            self.ReadPreview,
            request_deserializer=analysis_service_pb2.ReadPreviewRequest.FromString,
            response_serializer=analysis_service_pb2.ReadPreviewResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(LIBRARY, {"ListLibrary": listing}),
                grpc.method_handlers_generic_handler(ANALYSES, {"ReadPreview": preview}),
            )
        )


def entry_of(number: int, taken: datetime, **fields: Any) -> library_service_pb2.LibraryEntry:
    """Return a good photo that looks like no other; `fields` go into its findings."""
    embedding = np.full(EMBEDDING_SIZE, 0.01, "<f4")
    embedding[number % EMBEDDING_SIZE] = 1.0
    values: dict[str, Any] = {
        "width": 1600,
        "height": 1200 if number % 2 else 2000,
        "kind": analysis_pb2.MEDIA_KIND_PHOTO,
        "sharpness": 0.8,
        "exposure": 0.9,
        **fields,
    }
    media = f"media/{uuid4()}"
    message = analysis_pb2.Analysis(
        name=f"{media}/analysis",
        media=media,
        state=analysis_pb2.ANALYSIS_STATE_DONE,
        findings=analysis_pb2.Findings(**values),
    )
    message.findings.capture_time.FromDatetime(taken)
    message.delete_time.FromDatetime(datetime.now(UTC) + timedelta(days=20))
    return library_service_pb2.LibraryEntry(analysis=message, scene_embedding=embedding.tobytes())


def picture(analysis: analysis_pb2.Analysis) -> bytes:
    """Return a JPEG of the photo's shape, in a colour of its own."""
    shade = sum(analysis.media.encode())
    size = (analysis.findings.width // 5, analysis.findings.height // 5)
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 251, shade % 127, shade % 63)).save(buffer, "JPEG")
    return buffer.getvalue()
