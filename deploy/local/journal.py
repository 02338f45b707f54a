"""Journal of destructions of a stack, as its operator sees it: how far each database is, and what is given up."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.borrowed import any_databases
from deploy.local.errors import StackError
from deploy.local.home import StackHome
from services.chassis.errors import DependencyUnavailable
from services.journal import Journal, Position
from services.journal.directory import JournalDirectory
from services.journal.errors import RecordUnreadable
from services.journal.record import decode

_SELECT = "SELECT journal, number, digest FROM journal_position"


@dataclass(frozen=True)
class ServicePosition:
    """How far one service's database is.

    Attributes:
        service: Its name.
        position: What it has seen; None for nothing.
        state: `current`, `behind`, `begins` (nothing is seen yet), or `lost`: the journal does not hold what was seen.
    """

    service: str
    position: Position | None
    state: str


async def positions(home: StackHome) -> tuple[int | None, list[ServicePosition]]:
    """Return the number of the journal's newest record, and where each database stands; the stack may be stopped."""
    place = JournalDirectory(home.journal)
    newest = await place.newest()
    found = [
        ServicePosition(service, position, await _state(place, position, newest))
        for service, position in (await _read(home)).items()
    ]
    return newest, found


async def accept_loss(home: StackHome, journal: str) -> int:
    """Write down that a journal's records are given up as far as any database saw them, and return that number.

    Raises:
        StackError: JOURNAL_UNKNOWN: neither the journal nor a database has that name.
    """
    seen = [position for position in (await _read(home)).values() if position is not None]
    place = JournalDirectory(home.journal)
    known = {position.journal for position in seen} | await _name(place)
    if journal not in known:
        raise StackError(
            "JOURNAL_UNKNOWN",
            f"there is no journal {journal}: `pellicule journal status` names those that databases have seen",
            field="NAME",
        )
    number = max((position.number for position in seen if position.journal == journal), default=0)
    await Journal(place).accept_loss(journal, number)
    return number


async def _read(home: StackHome) -> Mapping[str, Position | None]:
    async with any_databases(home) as urls:
        return {service: await _position(url) for service, url in urls.items()}


async def _position(url: str) -> Position | None:
    """Return what a database has seen; nothing if its service has not made its tables yet."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
        try:
            row = await (await connection.execute(_SELECT)).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return None if row is None else Position(*row)


async def _state(place: JournalDirectory, position: Position | None, newest: int | None) -> str:
    if position is None:
        return "begins"
    try:
        await anext(Journal(place).since(position), None)
    except DependencyUnavailable:
        return "lost"
    return "current" if newest == position.number else "behind"


async def _name(place: JournalDirectory) -> set[str]:
    """Return the name of the journal that is there; none if its first record cannot be read."""
    try:
        return {decode(await place.read(0) or b"").journal}
    except RecordUnreadable:
        return set()
