-- migrate:up
-- Expand: rows from before have no epoch, and are wrapped anew by the clock loop. No foreign key: every upload would
-- lock the row of the day; an epoch is destroyed only after a look at the rows that it wraps.
ALTER TABLE data_key ADD COLUMN epoch text;
CREATE INDEX data_key_epoch ON data_key (epoch, id);
COMMENT ON TABLE data_key IS 'One key for each sealed artefact, sealed under its purpose key and an epoch key together.';
COMMENT ON COLUMN data_key.epoch IS 'The epoch that wraps it; null for rows from before, which are wrapped anew once.';
COMMENT ON TABLE epoch IS 'Days whose keys wrap purpose keys and data keys; the keys themselves are files outside the database.';

-- migrate:down
-- What an epoch wraps could not be opened any more.
DO $$ BEGIN
    IF EXISTS (SELECT FROM data_key WHERE epoch IS NOT NULL) THEN
        RAISE EXCEPTION 'data keys are wrapped under epochs: the version before cannot open them';
    END IF;
END $$;
ALTER TABLE data_key DROP COLUMN epoch;
