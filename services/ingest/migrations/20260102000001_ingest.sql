-- migrate:up
CREATE TABLE media (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid NOT NULL UNIQUE,
    form text NOT NULL,
    tag bytea NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sealed_metadata bytea NOT NULL,
    upload_time timestamptz NOT NULL,
    delete_time timestamptz NOT NULL,
    original_wanted boolean NOT NULL DEFAULT false,
    metadata_revision bigint NOT NULL,
    UNIQUE (subject, tag)
);
CREATE INDEX media_newest ON media (subject, upload_time DESC, id DESC);
COMMENT ON TABLE media IS 'Pictures that are kept; what they are is sealed.';
COMMENT ON COLUMN media.metadata_revision IS 'Rises with every change of what is known of it.';
COMMENT ON COLUMN media.tag IS 'HMAC-SHA256 of the original''s SHA-256 under the person''s lookup key.';

CREATE TABLE upload (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    request_id uuid NOT NULL,
    request_tag bytea NOT NULL,
    media_id uuid NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid,
    form text NOT NULL,
    tag bytea NOT NULL,
    bytes_tag bytea NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    writer bigint NOT NULL DEFAULT 0,
    committed_bytes bigint NOT NULL DEFAULT 0 CHECK (committed_bytes BETWEEN 0 AND size_bytes),
    chunked_bytes bigint NOT NULL DEFAULT 0 CHECK (chunked_bytes <= committed_bytes),
    seal_prefix bytea,
    sealed_announcement bytea NOT NULL,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    delete_time timestamptz NOT NULL,
    complete_time timestamptz,
    sealed_tail bytea,
    UNIQUE (subject, request_id)
);
CREATE UNIQUE INDEX upload_open_bytes ON upload (subject, bytes_tag) WHERE complete_time IS NULL;
CREATE INDEX upload_newest_open ON upload (subject, create_time DESC, id DESC) WHERE complete_time IS NULL;
CREATE INDEX upload_data_key ON upload (data_key_id);
CREATE INDEX upload_expiry ON upload (expire_time);
COMMENT ON COLUMN upload.writer IS 'How many streams have taken it over; the newest alone may commit.';
COMMENT ON COLUMN upload.sealed_tail IS 'The bytes that fill no chunk of the stream yet, sealed by themselves.';
COMMENT ON TABLE upload IS 'Uploads under way, and complete ones for as long as a repeated call may ask for them.';

CREATE TABLE segment (
    object text PRIMARY KEY,
    data_key_id uuid NOT NULL,
    position integer NOT NULL,
    size_bytes bigint NOT NULL,
    UNIQUE (data_key_id, position)
);
COMMENT ON TABLE segment IS 'Objects of the bucket, in the order in which they make one sealed stream.';

CREATE TABLE lookup_key (
    subject text PRIMARY KEY,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    sealed_key bytea NOT NULL,
    seal_time timestamptz NOT NULL
);
COMMENT ON TABLE lookup_key IS 'The person''s key of all tags, sealed under a data key that is renewed while it is in use.';

CREATE TABLE deleted_media (
    subject text NOT NULL,
    media_id uuid NOT NULL,
    tag bytea NOT NULL,
    purpose_revision bigint NOT NULL,
    deletion_time timestamptz NOT NULL,
    PRIMARY KEY (subject, media_id)
);
CREATE INDEX deleted_media_tag ON deleted_media (subject, tag);
CREATE INDEX deleted_media_age ON deleted_media (deletion_time);
COMMENT ON TABLE deleted_media IS 'What its owner deleted and is not to be asked for again; forgotten after the longest retention.';

CREATE TABLE request (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    request_tag bytea NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
CREATE INDEX request_age ON request (create_time);
COMMENT ON TABLE request IS 'Requests of the last day that no other row remembers; their tags tell nothing of what they said.';

CREATE TABLE usage (
    subject text PRIMARY KEY,
    used_bytes bigint NOT NULL CHECK (used_bytes >= 0)
);
COMMENT ON TABLE usage IS 'Plain bytes of a person''s media and open uploads together.';

CREATE TABLE device (
    subject text NOT NULL,
    id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid UNIQUE,
    sealed_description bytea,
    seal_time timestamptz NOT NULL,
    create_time timestamptz NOT NULL,
    last_seen_time timestamptz NOT NULL,
    revoke_time timestamptz,
    PRIMARY KEY (subject, id),
    CHECK ((revoke_time IS NULL) = (data_key_id IS NOT NULL)),
    CHECK ((data_key_id IS NULL) = (sealed_description IS NULL))
);
COMMENT ON TABLE device IS 'Devices of a person; a revoked one stays as a tombstone, so that it does not register again.';

CREATE TABLE discard (
    data_key_id uuid PRIMARY KEY,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    objects text[] NOT NULL,
    create_time timestamptz NOT NULL
);
COMMENT ON TABLE discard IS 'Streams that nothing refers to any more: objects to delete, and then their key to destroy.';

CREATE TABLE fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    raise_time timestamptz NOT NULL,
    PRIMARY KEY (subject, purpose)
);
COMMENT ON TABLE fence IS 'What was sealed under this revision of a purpose''s key, or an older one, may not come in any more.';

CREATE FUNCTION store_at_once(
    new_upload upload, new_media media, new_object text, object_bytes bigint, quota_bytes bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Shared with other commits, but never beside a purge; what follows sees every fence that is up.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(new_upload.subject, 0));
    IF EXISTS (
        SELECT FROM fence
        WHERE subject = new_upload.subject AND purpose = new_upload.purpose
            AND revision >= new_upload.purpose_revision
    ) THEN
        RAISE EXCEPTION 'fenced' USING ERRCODE = 'PLFEN';
    END IF;
    INSERT INTO usage (subject, used_bytes) VALUES (new_upload.subject, new_upload.size_bytes)
    ON CONFLICT (subject) DO UPDATE SET used_bytes = usage.used_bytes + excluded.used_bytes
    WHERE usage.used_bytes + excluded.used_bytes <= quota_bytes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no room' USING ERRCODE = 'PLNOR';
    END IF;
    INSERT INTO upload SELECT (new_upload).*;
    INSERT INTO media SELECT (new_media).*;
    INSERT INTO segment (object, data_key_id, position, size_bytes)
    VALUES (new_object, new_media.data_key_id, 0, object_bytes);
    DELETE FROM deleted_media WHERE subject = new_media.subject AND tag = new_media.tag;
END
$$;
COMMENT ON FUNCTION store_at_once IS 'An upload that came in one go, with its media; refused as a whole or not at all.';

CREATE FUNCTION tell_media_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM record_deleted(OLD.subject, ARRAY['media/' || OLD.id]);
    ELSE
        PERFORM record_changed(NEW.subject, ARRAY['media/' || NEW.id]);
    END IF;
    RETURN NULL;
END
$$;
-- Deferred, so that a person's other changes wait for the commit alone, and not for the transaction.
CREATE CONSTRAINT TRIGGER media_came AFTER INSERT OR DELETE ON media
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell_media_change();
CREATE CONSTRAINT TRIGGER media_changed AFTER UPDATE ON media
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (OLD.sealed_metadata IS DISTINCT FROM NEW.sealed_metadata) EXECUTE FUNCTION tell_media_change();
COMMENT ON FUNCTION tell_media_change IS 'Every change of what a person keeps stands in their change feed, in the same commit.';

-- migrate:down
DROP FUNCTION store_at_once;
DROP TABLE media, upload, segment, lookup_key, deleted_media, request, usage, device, discard, fence;
DROP FUNCTION tell_media_change;
