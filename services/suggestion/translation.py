"""Between messages and what the use cases take and give; raises field violations."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.suggestion.v1 import suggestion_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.events import OutgoingEvent
from services.suggestion.domain import titles
from services.suggestion.errors import LocaleUnknown
from services.suggestion.operations.open_suggestions import OpenSuggestion

DEFAULT_PAGE = 100
LONGEST_PAGE = 1000
_SUGGESTION = re.compile(r"suggestions/([0-9a-f-]{36})")
_RENDITION = re.compile(r"suggestions/([0-9a-f-]{36})/renditions/([1-9][0-9]{0,3})")


def suggestion_id(name: str) -> UUID:
    """Return the id in `suggestions/{uuid}`."""
    match = _SUGGESTION.fullmatch(name)
    if match is None:
        raise FieldInvalid.of("name", "give a name such as suggestions/{uuid}, as ListSuggestions returns it")
    return _uuid(match[1], "name")


def rendition_id(name: str) -> tuple[UUID, int]:
    """Return the ids in `suggestions/{uuid}/renditions/{number}`."""
    match = _RENDITION.fullmatch(name)
    if match is None:
        raise FieldInvalid.of("name", "give a name such as suggestions/{uuid}/renditions/1, as a suggestion lists it")
    return _uuid(match[1], "name"), int(match[2])


def request_id(text: str) -> UUID:
    """Return a request id."""
    return _uuid(text, "request_id")


def language(code: str) -> str:
    """Return the language that titles are written in: "en" for nothing."""
    primary = (code or "en").split("-")[0].lower()
    if primary not in titles.LANGUAGES:
        raise LocaleUnknown.of(code, titles.LANGUAGES)
    return primary


def page(page_size: int, page_token: str) -> tuple[int, int]:
    """Return where a page begins and how long it is at most."""
    if not 0 <= page_size <= LONGEST_PAGE:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {LONGEST_PAGE}, or 0 for {DEFAULT_PAGE}")
    if page_token and not (page_token.isascii() and page_token.isdigit() and len(page_token) < 10):
        raise FieldInvalid.of("page_token", "use the next_page_token of the page before, unchanged")
    return int(page_token or 0), page_size or DEFAULT_PAGE


def suggestion(opened: OpenSuggestion, code: str) -> suggestion_pb2.Suggestion:
    """Return a suggestion as a message, with title and reason in a language of `titles.LANGUAGES`."""
    row, idea = opened.row, opened.idea
    return suggestion_pb2.Suggestion(
        name=f"suggestions/{row.id}",
        kind=suggestion_pb2.SuggestionKind.Value(f"SUGGESTION_KIND_{idea.kind.value}"),
        title=titles.title(idea, code),
        reason=titles.reason(idea, code),
        evidence=[
            suggestion_pb2.Evidence(
                signal=each.signal, value=each.value, media_count=each.media_count, score=each.score
            )
            for each in idea.evidence
        ],
        media=idea.media,
        state=suggestion_pb2.SuggestionState.Value(f"SUGGESTION_STATE_{row.state}"),
        create_time=_timestamp(row.create_time),
        delete_time=_timestamp(row.delete_time),
        renditions=[
            suggestion_pb2.Rendition(
                name=f"suggestions/{row.id}/renditions/{each.number}",
                layout=each.layout,
                content_type=each.content_type,
                width=each.width,
                height=each.height,
                size_bytes=each.size_bytes,
            )
            for each in opened.renditions
        ],
        theme=idea.theme,
    )


def saved_event(subject: str, opened: OpenSuggestion) -> OutgoingEvent:
    """Return the event that tells of a saved suggestion."""
    message = suggestion_pb2.SuggestionSaved(
        subject=subject, suggestion=f"suggestions/{opened.row.id}", media=opened.idea.media
    )
    return OutgoingEvent(type=message.DESCRIPTOR.full_name, subject=subject, body=message.SerializeToString())


def _uuid(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise FieldInvalid.of(field, "give a UUID such as 8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d") from error


def _timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message
