"""Access table of the analysis service: the owner, and the services that act for the owner."""

from services.chassis.access import AccessTable, Caller, Grant, ServiceNamed

_SERVICE = "/pellicule.analysis.v1.AnalysisService"
_PERSONS: frozenset[Grant] = frozenset({Caller.PERSON})
_READERS: frozenset[Grant] = frozenset({Caller.PERSON, ServiceNamed("suggestion")})

ACCESS: AccessTable = {
    f"{_SERVICE}/GetAnalysis": _READERS,
    f"{_SERVICE}/ListAnalyses": _READERS,
    f"{_SERVICE}/GetProgress": _READERS,
    f"{_SERVICE}/ReadPreview": _READERS,
    f"{_SERVICE}/BatchReadPreviews": _PERSONS,
    f"{_SERVICE}/SearchMedia": _PERSONS,
    f"{_SERVICE}/WatchAnalyses": _PERSONS,
    f"{_SERVICE}/AcknowledgeAnalysisChanges": _PERSONS,
    "/pellicule.internal.analysis.v1.LibraryService/ListLibrary": frozenset({ServiceNamed("suggestion")}),
}
