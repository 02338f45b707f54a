"""Access table of the suggestion service: suggestions are for their owner alone."""

from services.chassis.access import AccessTable, Caller

_SERVICE = "/pellicule.suggestion.v1.SuggestionService"
_OWNER = frozenset({Caller.PERSON})

ACCESS: AccessTable = {
    f"{_SERVICE}/ListSuggestions": _OWNER,
    f"{_SERVICE}/GetSuggestion": _OWNER,
    f"{_SERVICE}/ReadRendition": _OWNER,
    f"{_SERVICE}/WatchSuggestions": _OWNER,
    f"{_SERVICE}/AcknowledgeSuggestionChanges": _OWNER,
    f"{_SERVICE}/SaveSuggestion": _OWNER,
    f"{_SERVICE}/DismissSuggestion": _OWNER,
    f"{_SERVICE}/RestoreSuggestion": _OWNER,
    f"{_SERVICE}/RefreshSuggestions": _OWNER,
}
