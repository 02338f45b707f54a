"""Who may call which RPC of the analysis service: the owner, and what makes ideas for the owner."""

from services.chassis.access import AccessTable, Caller, Grant, ServiceNamed

_SERVICE = "/pellicule.analysis.v1.AnalysisService"
_READERS: frozenset[Grant] = frozenset({Caller.PERSON, ServiceNamed("suggestion")})

ACCESS: AccessTable = {
    f"{_SERVICE}/GetAnalysis": _READERS,
    f"{_SERVICE}/ListAnalyses": _READERS,
    f"{_SERVICE}/GetProgress": _READERS,
    f"{_SERVICE}/ReadPreview": _READERS,
    f"{_SERVICE}/SearchMedia": frozenset({Caller.PERSON}),
}
