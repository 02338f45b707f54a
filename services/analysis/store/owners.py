"""Tables that say whose a key is."""

from typing import Final

from services.journal.owners import OwnerTables

OWNER_TABLES: Final = OwnerTables(
    keys=(
        "SELECT subject, data_key_id FROM media",
        "SELECT media.subject, previews.data_key_id FROM previews JOIN media ON media.id = previews.media_id",
        "SELECT media.subject, findings.data_key_id FROM findings JOIN media ON media.id = findings.media_id",
    ),
    revisions=(
        "SELECT subject, purpose, purpose_revision FROM media",
        """
        SELECT media.subject, findings.purpose, findings.purpose_revision
        FROM findings JOIN media ON media.id = findings.media_id
        """,
    ),
    persons=("SELECT subject FROM media", "SELECT subject FROM change_head"),
)
