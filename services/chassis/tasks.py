"""Tasks of a process, by the roles that need them."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from services.chassis.roles import SERVING, Role

Task: TypeAlias = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Tasks:
    """What runs beside the listeners of a process; a task that several roles need runs once.

    Attributes:
        always: What every role needs, such as the keyring and the journal's follower.
        serving: What calls need: notifications for open streams, events that go out at once.
        upkeep: Light work that goes on at all times.
        work: Heavy work that is done where there is room for it. Told to stop, each ends before those that stand before
            it, which it may need to come to its end.
    """

    always: Sequence[Task] = ()
    serving: Sequence[Task] = ()
    upkeep: Sequence[Task] = ()
    work: Sequence[Task] = ()

    def light(self, roles: AbstractSet[Role]) -> Sequence[Task]:
        """Return the tasks of a process with these roles, but for heavy work."""
        played = [
            *self.always,
            *(self.serving if SERVING & roles else ()),
            *(self.upkeep if Role.UPKEEP in roles else ()),
        ]
        return list(dict.fromkeys(played))

    def heavy(self, roles: AbstractSet[Role]) -> Sequence[Task]:
        """Return the heavy work of a process with these roles."""
        return self.work if Role.WORKER in roles else ()


NO_TASKS = Tasks()
