"""Tables that say whose a key is."""

from typing import Final

from services.journal.owners import OwnerTables

OWNER_TABLES: Final = OwnerTables(
    keys=(
        "SELECT subject, data_key_id FROM suggestion",
        """
        SELECT suggestion.subject, rendition.data_key_id
        FROM rendition JOIN suggestion ON suggestion.id = rendition.suggestion_id
        """,
    ),
    revisions=("SELECT subject, purpose, purpose_revision FROM suggestion",),
    persons=tuple(
        f"SELECT subject FROM {table}"  # noqa: S608
        for table in ("suggestion", "decision", "due", "change_head")
    ),
)
