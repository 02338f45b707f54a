"""RPCs that only services call: parse, do, render."""

from dataclasses import dataclass

from pellicule.internal.analysis.v1 import library_service_pb2, library_service_pb2_grpc
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.list_analyses import list_analyses
from services.analysis.translation import analyses, requests
from services.chassis.calls import Context
from services.chassis.principal import current_subject


@dataclass(frozen=True)
class LibraryServicer(library_service_pb2_grpc.LibraryServiceServicer):
    """Serves `LibraryService`."""

    dependencies: Dependencies

    async def ListLibrary(
        self, request: library_service_pb2.ListLibraryRequest, context: Context
    ) -> library_service_pb2.ListLibraryResponse:
        """List the analyses of every media of the person, with what only services need."""
        page = requests.library_page(request, current_subject())
        return analyses.library_page(page, await list_analyses(current_subject(), self.dependencies))
