"""State of a stack, written down at each change: for its owner to see, and to clean up after a crash."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from deploy.local.errors import home_unusable
from deploy.local.files import replace_private
from deploy.local.home import StackHome


class Phase(StrEnum):
    """Where a stack is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number.

    Attributes:
        pid: Its number, which is its group's too.
        started: When it was started, seconds since 1970, as the system says.
    """

    pid: int
    started: float


@dataclass(frozen=True)
class PartState:
    """One part, as `pellicule status` shows it.

    Attributes:
        part: Its name.
        ready: Whether its last real request was answered.
        process: What runs; None while nothing does.
        restarts: How often it was started again.
        address: `host:port`.
        started_at: When it became ready last, RFC 3339; empty before.
        note: Why it is not ready, where that is known.
    """

    part: str
    ready: bool
    process: ProcessId | None
    restarts: int
    address: str
    started_at: str
    note: str


@dataclass(frozen=True)
class StackState:
    """The whole stack.

    Attributes:
        phase: Where it is in its life.
        supervisor: The process that watches it.
        object_store: `seaweedfs` or `minio`.
        settings: What its operator has set, by full name.
        parts: Its parts, in the order of their start.
        litter: Patterns of what lies outside its folder while it runs.
        error: Why it failed: reason, message, field.
    """

    phase: Phase
    supervisor: ProcessId
    object_store: str
    parts: tuple[PartState, ...] = ()
    litter: tuple[str, ...] = ()
    error: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def address(self, part: str) -> str | None:
        """Return where a part serves; None when there is no such part."""
        return next((state.address for state in self.parts if state.part == part), None)


def write_state(home: StackHome, state: StackState) -> None:
    """Replace the state file."""
    replace_private(home.state, json.dumps(asdict(state), indent=1).encode())


def read_state(home: StackHome) -> StackState | None:
    """Read the state file; return None when there is none, or one that another release or a power failure left.

    Raises:
        StackError: HOME_UNUSABLE, it is another account's.
    """
    try:
        return _state(json.loads(home.state.read_bytes()))
    except PermissionError as error:
        raise home_unusable(home.path, "it belongs to another account") from error
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _state(document: dict[str, Any]) -> StackState:
    parts = tuple(PartState(**{**part, "process": _process(part["process"])}) for part in document["parts"])
    return StackState(
        phase=Phase(document["phase"]),
        supervisor=ProcessId(**document["supervisor"]),
        object_store=document["object_store"],
        parts=parts,
        litter=tuple(document["litter"]),
        error=document["error"],
        settings=document["settings"],
    )


def _process(document: dict[str, float] | None) -> ProcessId | None:
    return None if document is None else ProcessId(int(document["pid"]), document["started"])
