-- migrate:up
ALTER TABLE usage ADD COLUMN row_count bigint NOT NULL DEFAULT 0 CHECK (row_count >= 0);
ALTER TABLE usage SET (fillfactor = 50);
COMMENT ON TABLE usage IS 'Plain bytes of a person''s media and open uploads together, and how many rows there are.';
COMMENT ON COLUMN usage.row_count IS 'Of upload, media, deleted_media and request: each counts towards the quota.';

CREATE FUNCTION count_row_that_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO usage (subject, used_bytes, row_count) VALUES (NEW.subject, 0, 1)
    ON CONFLICT (subject) DO UPDATE SET row_count = usage.row_count + 1;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_row_that_came IS 'Rows are counted in the commit that brings them, whatever brings them.';

CREATE FUNCTION count_rows_that_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gone) THEN
        RETURN NULL;
    END IF;
    -- In one order for all, so that two that delete rows of many persons never wait for each other.
    PERFORM FROM usage WHERE subject IN (SELECT subject FROM gone) ORDER BY subject FOR UPDATE;
    UPDATE usage SET row_count = greatest(0, usage.row_count - counted.gone_count)
    FROM (SELECT subject, count(*) AS gone_count FROM gone GROUP BY subject) AS counted
    WHERE usage.subject = counted.subject;
    -- What stays of a person behind a purge goes later: then nothing says any more that they were here.
    DELETE FROM usage WHERE subject IN (SELECT subject FROM gone) AND used_bytes = 0 AND row_count = 0;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_rows_that_went IS 'Rows are no longer counted once they are gone, whatever deletes them.';

-- From here on none of these tables is written to until the commit, so that what is counted below is all there is.
CREATE TRIGGER row_came AFTER INSERT ON upload FOR EACH ROW EXECUTE FUNCTION count_row_that_came();
CREATE TRIGGER row_came AFTER INSERT ON media FOR EACH ROW EXECUTE FUNCTION count_row_that_came();
CREATE TRIGGER row_came AFTER INSERT ON deleted_media FOR EACH ROW EXECUTE FUNCTION count_row_that_came();
CREATE TRIGGER row_came AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION count_row_that_came();
CREATE TRIGGER rows_went AFTER DELETE ON upload
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_rows_that_went();
CREATE TRIGGER rows_went AFTER DELETE ON media
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_rows_that_went();
CREATE TRIGGER rows_went AFTER DELETE ON deleted_media
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_rows_that_went();
CREATE TRIGGER rows_went AFTER DELETE ON request
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_rows_that_went();

INSERT INTO usage (subject, used_bytes, row_count)
SELECT subject, 0, count(*)
FROM (
    SELECT subject FROM upload
    UNION ALL SELECT subject FROM media
    UNION ALL SELECT subject FROM deleted_media
    UNION ALL SELECT subject FROM request
) AS counted
GROUP BY subject
ON CONFLICT (subject) DO UPDATE SET row_count = excluded.row_count;

-- Beside the one without `row_bytes`, which processes of the release before still call.
CREATE FUNCTION store_at_once(
    new_upload upload, new_media media, new_object text, object_bytes bigint, quota_bytes bigint, row_bytes bigint
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
    WHERE usage.used_bytes + usage.row_count * row_bytes + excluded.used_bytes + row_bytes <= quota_bytes;
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
COMMENT ON FUNCTION store_at_once(upload, media, text, bigint, bigint, bigint) IS
'An upload that came in one go, with its media; refused as a whole or not at all.';

-- migrate:down
DROP FUNCTION store_at_once(upload, media, text, bigint, bigint, bigint);
DROP TRIGGER rows_went ON request;
DROP TRIGGER rows_went ON deleted_media;
DROP TRIGGER rows_went ON media;
DROP TRIGGER rows_went ON upload;
DROP TRIGGER row_came ON request;
DROP TRIGGER row_came ON deleted_media;
DROP TRIGGER row_came ON media;
DROP TRIGGER row_came ON upload;
DROP FUNCTION count_rows_that_went;
DROP FUNCTION count_row_that_came;
COMMENT ON TABLE usage IS 'Plain bytes of a person''s media and open uploads together.';
ALTER TABLE usage RESET (fillfactor);
ALTER TABLE usage DROP COLUMN row_count;
