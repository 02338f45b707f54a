"""Tables that say who is known; a book of decisions names no key."""

from typing import Final

from services.journal.owners import OwnerTables

OWNER_TABLES: Final = OwnerTables(
    keys=(),
    revisions=(),
    persons=tuple(
        f"SELECT subject FROM {table}"  # noqa: S608
        for table in ("person", "notice_serving", "consent_event", "change_head")
    ),
)
