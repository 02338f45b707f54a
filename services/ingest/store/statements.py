"""SQL of the stores, by name, and how rows become data."""

# ruff: noqa: S608 - put together from this module's own constants; values are parameters

from typing import Any

from services.chassis.messaging.outbox import INSERT_EVENT, WAKE_RELAY
from services.ingest.domain.media import MediaForm
from services.ingest.domain.records import MediaRow, UploadRow
from services.keyring import Purpose

HOLD_SUBJECT = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%(subject)s, 0))"
"""Beside other commits of this person, but never beside a purge, which takes the chassis's `subject_lock`."""

_UPLOAD = """
    id, subject, request_id, request_tag, media_id, purpose, purpose_revision, data_key_id, form, tag, bytes_tag,
    size_bytes, writer, committed_bytes, chunked_bytes, seal_prefix, sealed_announcement, create_time, expire_time,
    delete_time, complete_time
"""
_UPLOAD_VALUES = """
    %(id)s, %(subject)s, %(request_id)s, %(request_tag)s, %(media_id)s, %(purpose)s, %(purpose_revision)s,
    %(data_key_id)s, %(form)s, %(tag)s, %(bytes_tag)s, %(size_bytes)s, %(writer)s, %(committed_bytes)s,
    %(chunked_bytes)s, %(seal_prefix)s,
    %(sealed_announcement)s, %(create_time)s, %(expire_time)s, %(delete_time)s, %(complete_time)s
"""
_MEDIA = """
    id, subject, purpose, purpose_revision, data_key_id, form, tag, size_bytes, sealed_metadata, upload_time,
    delete_time, original_wanted, metadata_revision
"""
_READ_MEDIA = f"""
    {_MEDIA}, EXISTS (SELECT FROM missing_media WHERE missing_media.data_key_id = media.data_key_id) AS missing
"""
_MEDIA_VALUES = """
    %(media_id)s, %(subject)s, %(purpose)s, %(purpose_revision)s, %(data_key_id)s, %(form)s, %(tag)s,
    %(size_bytes)s, %(sealed_metadata)s, %(upload_time)s, %(delete_time)s, false, %(metadata_revision)s
"""
_NOT_FENCED = """
    NOT EXISTS (
        SELECT FROM fence
        WHERE fence.subject = %(subject)s AND fence.purpose = %(purpose)s AND fence.revision >= %(purpose_revision)s
    )
"""
_HAS_ROOM = """
    coalesce((SELECT used_bytes + row_count * %(row_bytes)s FROM usage WHERE subject = %(subject)s), 0)
        + %(row_bytes)s <= %(quota)s
"""

FIND_UPLOAD = f"SELECT {_UPLOAD} FROM upload WHERE subject = %(subject)s AND id = %(id)s"
FIRST_UPLOADS = f"""
    SELECT {_UPLOAD} FROM upload
    WHERE subject = %(subject)s AND complete_time IS NULL AND expire_time > %(now)s
    ORDER BY create_time DESC, id DESC LIMIT %(limit)s
"""
NEXT_UPLOADS = f"""
    SELECT {_UPLOAD} FROM upload
    WHERE subject = %(subject)s AND complete_time IS NULL AND expire_time > %(now)s
        AND (create_time, id) < (%(time)s, %(id)s)
    ORDER BY create_time DESC, id DESC LIMIT %(limit)s
"""
GLANCE = """
    SELECT
        coalesce((SELECT used_bytes FROM usage WHERE subject = %(subject)s), 0),
        coalesce((SELECT row_count FROM usage WHERE subject = %(subject)s), 0),
        EXISTS (SELECT FROM upload WHERE subject = %(subject)s AND request_id = %(request_id)s)
            OR EXISTS (
                SELECT FROM upload
                WHERE subject = %(subject)s AND bytes_tag = %(bytes_tag)s AND complete_time IS NULL
            )
            OR EXISTS (SELECT FROM media WHERE subject = %(subject)s AND tag = %(tag)s),
        EXISTS (SELECT FROM request WHERE subject = %(subject)s AND request_id = %(request_id)s)
"""
FIND_EARLIER_UPLOADS = f"""
    SELECT {_UPLOAD} FROM upload WHERE subject = %(subject)s AND request_id = %(request_id)s
    UNION
    SELECT {_UPLOAD} FROM upload WHERE subject = %(subject)s AND bytes_tag = %(bytes_tag)s AND complete_time IS NULL
"""
ADD_UPLOAD = f"INSERT INTO upload ({_UPLOAD}) SELECT {_UPLOAD_VALUES} WHERE {_NOT_FENCED}"
ADD_COMPLETE_UPLOAD = f"""
    WITH share AS (SELECT {_HAS_ROOM} AS has_room), added AS (
        INSERT INTO upload ({_UPLOAD}) SELECT {_UPLOAD_VALUES} FROM share WHERE has_room
        ON CONFLICT (subject, request_id) DO NOTHING
    )
    SELECT has_room FROM share
"""
TAKE_OVER = f"""
    UPDATE upload SET writer = writer + 1
    WHERE id = %(id)s AND subject = %(subject)s AND complete_time IS NULL
    RETURNING {_UPLOAD}, sealed_tail
"""
ADVANCE = f"""
    UPDATE upload
    SET committed_bytes = %(committed_bytes)s, chunked_bytes = %(chunked_bytes)s, seal_prefix = %(seal_prefix)s,
        sealed_tail = %(tail)s
    WHERE id = %(id)s AND subject = %(subject)s AND complete_time IS NULL AND writer = %(writer)s AND {_NOT_FENCED}
"""
CLAIM = f"""
    UPDATE upload
    SET committed_bytes = size_bytes, chunked_bytes = size_bytes, complete_time = %(now)s, sealed_tail = NULL
    WHERE id = %(id)s AND subject = %(subject)s AND complete_time IS NULL AND writer = %(writer)s AND {_NOT_FENCED}
"""
COMPLETE_AS_DUPLICATE = """
    UPDATE upload
    SET committed_bytes = size_bytes, chunked_bytes = size_bytes, complete_time = %(now)s, media_id = %(media_id)s,
        data_key_id = NULL, sealed_tail = NULL
    WHERE id = %(id)s AND subject = %(subject)s AND complete_time IS NULL
"""
DELETE_UPLOAD = f"DELETE FROM upload WHERE id = %(id)s AND subject = %(subject)s RETURNING {_UPLOAD}"
DELETE_OPEN_UPLOAD = f"""
    DELETE FROM upload
    WHERE id = %(id)s AND subject = %(subject)s AND complete_time IS NULL
        AND (%(writer)s::bigint IS NULL OR writer = %(writer)s)
    RETURNING {_UPLOAD}
"""
EXPIRED_UPLOADS = """
    SELECT id, subject, complete_time IS NOT NULL AS is_complete FROM upload
    WHERE expire_time <= %(now)s AND id <> ALL(%(without)s::uuid[])
    ORDER BY expire_time LIMIT %(limit)s
"""
DELETE_COMPLETE_UPLOADS = "DELETE FROM upload WHERE id = ANY(%(ids)s) AND complete_time IS NOT NULL"

RESERVE = """
    INSERT INTO usage (subject, used_bytes) VALUES (%(subject)s, %(size_bytes)s)
    ON CONFLICT (subject) DO UPDATE SET used_bytes = usage.used_bytes + excluded.used_bytes
    WHERE usage.used_bytes + usage.row_count * %(row_bytes)s + excluded.used_bytes + %(row_bytes)s <= %(quota)s
"""
RELEASE = "UPDATE usage SET used_bytes = used_bytes - %(size_bytes)s WHERE subject = %(subject)s"
USED = "SELECT used_bytes, row_count FROM usage WHERE subject = %(subject)s"
USAGE = """
    SELECT
        coalesce((SELECT used_bytes FROM usage WHERE subject = %(subject)s), 0),
        coalesce((SELECT row_count FROM usage WHERE subject = %(subject)s), 0),
        (SELECT count(*) FROM media WHERE subject = %(subject)s),
        (SELECT count(*) FROM upload WHERE subject = %(subject)s AND complete_time IS NULL AND expire_time > %(now)s)
"""

ADD_SEGMENT = """
    INSERT INTO segment (object, data_key_id, position, size_bytes)
    VALUES (%(object)s, %(data_key_id)s, %(position)s, %(size_bytes)s)
"""
FIND_SEGMENTS = "SELECT object, size_bytes FROM segment WHERE data_key_id = %(data_key_id)s ORDER BY position"
DISCARD_STREAM = """
    WITH gone AS (DELETE FROM segment WHERE data_key_id = %(data_key_id)s RETURNING object)
    INSERT INTO discard (data_key_id, subject, purpose, purpose_revision, objects, create_time)
    VALUES (
        %(data_key_id)s, %(subject)s, %(purpose)s, %(purpose_revision)s, ARRAY(SELECT object FROM gone), %(now)s
    )
"""
DISCARDS = """
    SELECT data_key_id, subject, objects FROM discard WHERE data_key_id <> ALL(%(without)s::uuid[])
    ORDER BY create_time LIMIT %(limit)s
"""
DELETE_DISCARD = "DELETE FROM discard WHERE data_key_id = %(data_key_id)s"
UNKNOWN_OBJECTS = """
    SELECT name FROM unnest(%(names)s::text[]) AS name
    WHERE NOT EXISTS (SELECT FROM segment WHERE object = name)
        AND NOT EXISTS (SELECT FROM discard WHERE objects @> ARRAY[name])
"""

ADD_MEDIA = f"""
    INSERT INTO media ({_MEDIA})
    VALUES (%(id)s, %(subject)s, %(purpose)s, %(purpose_revision)s, %(data_key_id)s, %(form)s, %(tag)s,
            %(size_bytes)s, %(sealed_metadata)s, %(upload_time)s, %(delete_time)s, %(original_wanted)s,
            %(metadata_revision)s)
    ON CONFLICT DO NOTHING
"""
REPLACE_MEDIA = """
    UPDATE media
    SET purpose = %(purpose)s, purpose_revision = %(purpose_revision)s, data_key_id = %(data_key_id)s,
        form = %(form)s, tag = %(tag)s, size_bytes = %(size_bytes)s, sealed_metadata = %(sealed_metadata)s,
        delete_time = %(delete_time)s, original_wanted = false, metadata_revision = %(metadata_revision)s
    WHERE id = %(id)s AND subject = %(subject)s AND data_key_id = %(old_data_key_id)s
        AND metadata_revision = %(metadata_revision)s - 1
"""
STORE_AT_ONCE = f"""
    WITH stored AS (
        SELECT store_at_once(
            ROW({_UPLOAD_VALUES}, NULL)::upload, ROW({_MEDIA_VALUES})::media, %(object)s, %(object_bytes)s,
            %(quota)s, %(row_bytes)s
        )
    ), told AS ({INSERT_EVENT})
    SELECT {WAKE_RELAY} FROM stored
"""
FIND_MEDIA = f"SELECT {_READ_MEDIA} FROM media WHERE subject = %(subject)s AND id = %(id)s"
FIND_MANY_MEDIA = f"SELECT {_READ_MEDIA} FROM media WHERE subject = %(subject)s AND id = ANY(%(ids)s)"
FIND_TAGGED_MEDIA = f"SELECT {_READ_MEDIA} FROM media WHERE subject = %(subject)s AND tag = ANY(%(tags)s)"
NEWEST_MEDIA = f"""
    SELECT {_READ_MEDIA} FROM media
    WHERE subject = %(subject)s AND (upload_time, id) < (%(time)s, %(id)s)
    ORDER BY upload_time DESC, id DESC LIMIT %(limit)s
"""
OLDEST_MEDIA = f"""
    SELECT {_READ_MEDIA} FROM media
    WHERE subject = %(subject)s AND (upload_time, id) > (%(time)s, %(id)s)
    ORDER BY upload_time, id LIMIT %(limit)s
"""
UPDATE_MEDIA = """
    UPDATE media SET sealed_metadata = %(sealed_metadata)s, metadata_revision = %(metadata_revision)s
    WHERE id = %(id)s AND subject = %(subject)s AND data_key_id = %(data_key_id)s
        AND metadata_revision = %(metadata_revision)s - 1
"""
DELETE_MEDIA = """
    DELETE FROM media WHERE id = %(id)s AND subject = %(subject)s AND data_key_id = %(data_key_id)s
"""
WANT_ORIGINALS = """
    UPDATE media SET original_wanted = true
    WHERE subject = %(subject)s AND id = ANY(%(ids)s) AND form = 'REDUCED' AND NOT original_wanted
"""

FORGET_DELETION = "DELETE FROM deleted_media WHERE subject = %(subject)s AND tag = %(tag)s"
DELETED_TAGS = "SELECT tag FROM deleted_media WHERE subject = %(subject)s AND tag = ANY(%(tags)s)"
WAS_DELETED = "SELECT FROM deleted_media WHERE subject = %(subject)s AND media_id = %(media_id)s"
REMEMBER_DELETION = """
    INSERT INTO deleted_media (subject, media_id, tag, purpose_revision, deletion_time)
    SELECT subject, media.id, media.tag, lookup_key.purpose_revision, %(now)s
    FROM media JOIN lookup_key USING (subject)
    WHERE subject = %(subject)s AND media.id = %(media_id)s
    ON CONFLICT DO NOTHING
"""
FORGET_OLD_DELETIONS = "DELETE FROM deleted_media WHERE deletion_time < %(before)s"

_NEW_REQUEST = f"""
    INSERT INTO request (subject, request_id, request_tag, create_time)
    SELECT %(subject)s, %(request_id)s::uuid, %(request_tag)s::bytea, %(now)s::timestamptz
    WHERE NOT EXISTS (SELECT FROM upload WHERE subject = %(subject)s AND request_id = %(request_id)s) AND {_HAS_ROOM}
"""
REMEMBER_REQUEST = f"""
    {_NEW_REQUEST}
    ON CONFLICT (subject, request_id) DO UPDATE SET create_time = request.create_time
    WHERE request.request_tag = excluded.request_tag
"""
NOTE_REQUEST = f"{_NEW_REQUEST} ON CONFLICT (subject, request_id) DO NOTHING"
IS_SAME_REQUEST = """
    SELECT request_tag = %(request_tag)s FROM request WHERE subject = %(subject)s AND request_id = %(request_id)s
    UNION ALL SELECT false FROM upload WHERE subject = %(subject)s AND request_id = %(request_id)s
"""
EVENTS_WAITING = """
    SELECT count(*) FROM (SELECT FROM outbox WHERE person = %(subject)s AND person <> '' LIMIT %(most)s) AS waiting
"""
FORGET_REQUESTS = "DELETE FROM request WHERE create_time < %(before)s"

_DEVICE = """
    id, subject, purpose_revision, data_key_id, sealed_description, seal_time, create_time, last_seen_time, revoke_time
"""
FIND_DEVICE = f"SELECT {_DEVICE} FROM device WHERE subject = %(subject)s AND id = %(id)s"
LOCK_DEVICE = f"{FIND_DEVICE} FOR UPDATE"
REGISTERED_DEVICES = f"""
    SELECT {_DEVICE} FROM device WHERE subject = %(subject)s AND revoke_time IS NULL
    ORDER BY last_seen_time DESC, id DESC
"""
COUNT_DEVICES = "SELECT count(*) FILTER (WHERE revoke_time IS NULL), count(*) FROM device WHERE subject = %(subject)s"
ADD_DEVICE = f"""
    INSERT INTO device ({_DEVICE})
    SELECT %(id)s, %(subject)s, %(purpose_revision)s, %(data_key_id)s, %(sealed_description)s, %(seal_time)s,
        %(create_time)s, %(last_seen_time)s, NULL
    WHERE {_NOT_FENCED}
    ON CONFLICT (subject, id) DO NOTHING
"""
REPLACE_DEVICE = f"""
    UPDATE device
    SET purpose_revision = %(purpose_revision)s, data_key_id = %(data_key_id)s,
        sealed_description = %(sealed_description)s, seal_time = %(seal_time)s, last_seen_time = %(last_seen_time)s
    WHERE subject = %(subject)s AND id = %(id)s AND data_key_id = %(replaces)s AND {_NOT_FENCED}
"""
SEE_DEVICE = f"""
    WITH seen AS (
        UPDATE device SET last_seen_time = %(hour)s
        WHERE subject = %(subject)s AND id = %(id)s AND revoke_time IS NULL AND last_seen_time < %(hour)s
    )
    {FIND_DEVICE}
"""
REVOKE_DEVICE = """
    UPDATE device SET data_key_id = NULL, sealed_description = NULL, revoke_time = %(now)s
    WHERE subject = %(subject)s AND id = %(id)s AND revoke_time IS NULL
"""

FIND_LOOKUP_KEY = """
    SELECT subject, data_key_id, purpose_revision, sealed_key, seal_time FROM lookup_key WHERE subject = %(subject)s
"""
ADD_LOOKUP_KEY = """
    INSERT INTO lookup_key (subject, data_key_id, purpose_revision, sealed_key, seal_time)
    VALUES (%(subject)s, %(data_key_id)s, %(purpose_revision)s, %(sealed_key)s, %(seal_time)s)
    ON CONFLICT DO NOTHING
"""
REPLACE_LOOKUP_KEY = """
    UPDATE lookup_key
    SET data_key_id = %(data_key_id)s, purpose_revision = %(purpose_revision)s, sealed_key = %(sealed_key)s,
        seal_time = %(seal_time)s
    WHERE subject = %(subject)s AND data_key_id = %(replaces)s
"""


def upload_row(**columns: Any) -> UploadRow:
    """Return a row of uploads."""
    return UploadRow(**{**columns, "purpose": Purpose(columns["purpose"]), "form": MediaForm(columns["form"])})


def media_row(**columns: Any) -> MediaRow:
    """Return a row of media."""
    return MediaRow(**{**columns, "purpose": Purpose(columns["purpose"]), "form": MediaForm(columns["form"])})
