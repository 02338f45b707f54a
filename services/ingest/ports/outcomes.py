"""Outcomes of what the tables are asked to do, where more than one is to be expected."""

from enum import Enum, auto


class Addition(Enum):
    """How the opening of an upload ended."""

    ADDED = auto()
    NO_ROOM = auto()
    """The person's share of the store would be exceeded."""
    TAKEN = auto()
    """The request_id, or an open upload of the same bytes, is there already."""
    FENCED = auto()
    """The purpose's key was destroyed meanwhile."""


class Completion(Enum):
    """How the making of a media ended."""

    STORED = auto()
    GONE = auto()
    """The upload is not there any more, or not as far as the caller thought, or its purpose's key was destroyed."""
    KEPT_ALREADY = auto()
    """A media of the same original is there."""


class MediaUpdate(Enum):
    """How the change of a media ended."""

    STORED = auto()
    STALE = auto()
    """The media is not as the caller thought, or not there any more."""
    REPEATED = auto()
    """The same request has changed it before."""
    REQUEST_ID_REUSED = auto()
    """Another request bears the id."""
    NO_ROOM = auto()
    """There is no room for the row of a request."""
    TOO_MANY_EVENTS = auto()
    """Too many of the person's changes are not told yet."""


class Registration(Enum):
    """How the registration of a device ended."""

    STORED = auto()
    STALE = auto()
    """The device is not as the caller thought, or the purpose's key was destroyed meanwhile."""
    TOO_MANY = auto()


class Remembering(Enum):
    """How the noting of a request ended."""

    NOTED = auto()
    """Now, or before."""
    REUSED = auto()
    """Another request bears the id."""
    NO_ROOM = auto()
    """There is no room for its row."""
