-- migrate:up
ALTER TABLE epoch ADD COLUMN fingerprint bytea, ADD COLUMN gone_time timestamptz, ADD COLUMN reappear_time timestamptz;
COMMENT ON TABLE epoch IS 'Days whose keys wrap purpose keys and data keys; the keys themselves are outside the database.';
COMMENT ON COLUMN epoch.fingerprint IS 'Tells its key from another one of its name; says nothing about the key.';
COMMENT ON COLUMN epoch.gone_time IS 'When its key was seen to be gone, after it was destroyed.';
COMMENT ON COLUMN epoch.reappear_time IS 'When its key was there again, brought back by a copy; it was destroyed once more.';

CREATE FUNCTION journal_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body) VALUES ('EPOCH', jsonb_build_object('epoch', NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER journal_epoch AFTER UPDATE OF gone_time ON epoch
    FOR EACH ROW WHEN (OLD.gone_time IS NULL AND NEW.gone_time IS NOT NULL) EXECUTE FUNCTION journal_epoch();

-- migrate:down
DROP TRIGGER journal_epoch ON epoch;
DROP FUNCTION journal_epoch();
ALTER TABLE epoch DROP COLUMN reappear_time, DROP COLUMN gone_time, DROP COLUMN fingerprint;
COMMENT ON TABLE epoch IS 'Days whose keys wrap purpose keys and data keys; the keys themselves are files outside the database.';
