"""Tables that say whose a key is."""

from typing import Final

from services.journal.owners import OwnerTables

_OF_CLOUD_PROCESSING = ("lookup_key", "device", "deleted_media")
_WITH_PURPOSE = ("media", "upload", "discard")

OWNER_TABLES: Final = OwnerTables(
    keys=tuple(
        f"SELECT subject, data_key_id FROM {table}"  # noqa: S608
        for table in ("media", "upload", "discard", "lookup_key", "device")
    ),
    revisions=(
        *(f"SELECT subject, purpose, purpose_revision FROM {table}" for table in _WITH_PURPOSE),  # noqa: S608
        *(
            f"SELECT subject, 'CLOUD_PROCESSING', purpose_revision FROM {table}"  # noqa: S608
            for table in _OF_CLOUD_PROCESSING
        ),
    ),
    persons=tuple(
        f"SELECT subject FROM {table}"  # noqa: S608
        for table in (*_WITH_PURPOSE, *_OF_CLOUD_PROCESSING, "request", "usage", "change_head")
    ),
)
