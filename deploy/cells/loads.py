"""Loads that persons make for a cell: rows, bytes, keys, seconds."""

from dataclasses import dataclass

from deploy.cells.assumptions import Assumptions, Database, Persons

DAY, HOUR = 86_400.0, 3_600.0
OWN_KEYS = 4
"""Of a photo: the original, and what analysis seals for its own purpose (record, preview, thumbnail)."""
KEYS_OF_IDEA = 3
"""Its record and two renditions."""
ROWS_OF_PHOTO = 9
"""Media and segment in ingest, media, findings and two previews in analysis, the media of retention, two feeds."""
REWRAPS_A_DAY = 0.25
"""Of a key: retention wraps it anew when its epoch is four days old."""
PREVIEW_MEGABYTES, RENDITION_MEGABYTES = 0.27, 0.5
_MEGA, _GIGA = 1e6, 1e9


@dataclass(frozen=True)
class Load:
    """What one cell carries, in steady state.

    Attributes:
        persons: In it.
        photos: Kept at a time.
        uploads_a_day: Photos that come in.
        uploads_at_peak: A second, in the busiest hour.
        uploaded_gigabytes_a_day: Their bytes.
        object_gigabytes: In the object store.
        objects_a_day: Objects written.
        data_keys: Alive at a time.
        key_opens_a_day: Keys opened.
        rewraps_a_day: Keys wrapped anew, those of purposes included.
        rows: In all databases.
        database_gigabytes: Of all databases.
        wal_gigabytes_a_day: Of PostgreSQL's log.
        journal_megabytes_a_day: By which the journal grows; it never shrinks.
        analysis_core_hours_a_day: Of services and models on processors.
        upload_core_hours_a_day: Of services and stores.
    """

    persons: int
    photos: float
    uploads_a_day: float
    uploads_at_peak: float
    uploaded_gigabytes_a_day: float
    object_gigabytes: float
    objects_a_day: float
    data_keys: float
    key_opens_a_day: float
    rewraps_a_day: float
    rows: float
    database_gigabytes: float
    wal_gigabytes_a_day: float
    journal_megabytes_a_day: float
    analysis_core_hours_a_day: float
    upload_core_hours_a_day: float


def load_of(persons: int, photos: float, assumptions: Assumptions) -> Load:
    """Return what so many persons with so many photos make a cell do."""
    assumed, database, measured = assumptions.persons, assumptions.database, assumptions.measured
    uploads = photos / assumed.window_days
    keys = data_keys(persons, photos, assumed)
    rewraps = REWRAPS_A_DAY * keys + persons * assumed.purposes
    rows = photos * ROWS_OF_PHOTO + persons * (10 + assumed.ideas_a_month * 3)
    made = keys / assumed.window_days
    return Load(
        persons=persons,
        photos=photos,
        uploads_a_day=uploads,
        uploads_at_peak=uploads / DAY * assumed.peak,
        uploaded_gigabytes_a_day=uploads * photo_megabytes(assumed) * _MEGA / _GIGA,
        object_gigabytes=object_megabytes(persons, photos, assumed) * _MEGA / _GIGA,
        objects_a_day=uploads * 2 + persons * assumed.ideas_a_month * 2 / 30,
        data_keys=keys,
        key_opens_a_day=persons * assumed.previews_a_day + uploads * 2,
        rewraps_a_day=rewraps,
        rows=rows + keys,
        database_gigabytes=(rows * database.row_bytes + keys * database.key_row_bytes) / _GIGA,
        wal_gigabytes_a_day=wal_bytes(rows / assumed.window_days, made, rewraps, database) / _GIGA,
        journal_megabytes_a_day=made * database.journal_bytes_a_key / _MEGA,
        analysis_core_hours_a_day=uploads / measured.analyses * measured.cores / HOUR,
        upload_core_hours_a_day=uploads / measured.uploads * measured.cores / HOUR,
    )


def photo_megabytes(persons: Persons) -> float:
    """Return the bytes of a photo as it comes in, on average."""
    share = persons.original_share
    return share * persons.original_megabytes + (1 - share) * persons.reduced_megabytes


def object_megabytes(persons: int, photos: float, assumed: Persons) -> float:
    """Return what lies in the object store: originals, previews and renditions."""
    return photos * (photo_megabytes(assumed) + PREVIEW_MEGABYTES) + persons * assumed.ideas_a_month * 2 * (
        RENDITION_MEGABYTES
    )


def data_keys(persons: int, photos: float, assumed: Persons) -> float:
    """Return the data keys that live at a time."""
    of_photo = OWN_KEYS + assumed.location_share + assumed.faces_share
    return photos * of_photo + persons * assumed.ideas_a_month * KEYS_OF_IDEA


def wal_bytes(rows: float, keys: float, rewraps: float, database: Database) -> float:
    """Return the log of a day: rows and keys written and deleted, states changed twice, keys wrapped anew."""
    return (rows + keys) * 3 * database.wal_a_row + rewraps * database.wal_a_rewrap
