-- migrate:up
CREATE TABLE journal_pending (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    body jsonb NOT NULL
);
COMMENT ON TABLE journal_pending IS 'What was destroyed and is not in the journal yet; written by triggers, deleted once it is there.';

CREATE TABLE erased_person (
    tag text NOT NULL,
    salt text NOT NULL,
    erase_time timestamptz NOT NULL,
    PRIMARY KEY (tag, salt)
);
COMMENT ON TABLE erased_person IS 'Tombstones that the journal told: persons by tag, as a restored database may not know their pseudonyms.';

CREATE TABLE revision_reservation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    until bigint NOT NULL
);
COMMENT ON TABLE revision_reservation IS 'Up to where fencing numbers may have been handed out; one row.';

-- Triggers, and no calls: whatever deletes a key, by whichever path or hand, is written down in the same transaction.
CREATE FUNCTION journal_purpose_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'PURPOSE_KEY', jsonb_build_object('revision', revision, 'subject', subject) FROM gone;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_purpose_keys AFTER DELETE ON purpose_key
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION journal_purpose_keys();

CREATE FUNCTION journal_data_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'DATA_KEYS', jsonb_agg(id) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_data_keys AFTER DELETE ON data_key
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION journal_data_keys();

CREATE FUNCTION journal_media_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    VALUES ('MEDIA', jsonb_build_object('media', NEW.media, 'time', NEW.delete_time));
    RETURN NULL;
END $$;
CREATE TRIGGER journal_media_ended AFTER INSERT ON media
    FOR EACH ROW WHEN (NEW.purpose IS NULL) EXECUTE FUNCTION journal_media_end();
CREATE TRIGGER journal_media_shortened AFTER UPDATE OF delete_time ON media
    FOR EACH ROW WHEN (NEW.delete_time < OLD.delete_time) EXECUTE FUNCTION journal_media_end();

CREATE FUNCTION journal_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    VALUES ('BOUND', jsonb_build_object('revision', NEW.revision, 'time', NEW.reach_back_time));
    RETURN NULL;
END $$;
CREATE TRIGGER journal_bound AFTER UPDATE OF reach_back_time ON purpose_key
    FOR EACH ROW WHEN (NEW.reach_back_time > coalesce(OLD.reach_back_time, '-infinity'))
    EXECUTE FUNCTION journal_bound();

-- The person is locked: none of their keys has a higher number than the last one handed out.
CREATE FUNCTION journal_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'PERSON', jsonb_build_object('subject', NEW.subject, 'revision', last_value, 'time', NEW.erase_time)
    FROM purpose_revision;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_erased AFTER INSERT OR UPDATE ON erased_subject
    FOR EACH ROW EXECUTE FUNCTION journal_erased();

CREATE FUNCTION journal_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'ACCOUNT', jsonb_build_object('subject', NEW.subject, 'revision', last_value, 'time', NEW.keys_destroy_time)
    FROM purpose_revision;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_account AFTER UPDATE OF keys_destroy_time ON account_deletion
    FOR EACH ROW WHEN (NEW.keys_destroy_time IS NOT NULL) EXECUTE FUNCTION journal_account();

-- migrate:down
DROP TRIGGER journal_account ON account_deletion;
DROP TRIGGER journal_erased ON erased_subject;
DROP TRIGGER journal_bound ON purpose_key;
DROP TRIGGER journal_media_shortened ON media;
DROP TRIGGER journal_media_ended ON media;
DROP TRIGGER journal_data_keys ON data_key;
DROP TRIGGER journal_purpose_keys ON purpose_key;
DROP FUNCTION journal_account(), journal_erased(), journal_bound(), journal_media_end(), journal_data_keys(), journal_purpose_keys();
DROP TABLE revision_reservation, erased_person, journal_pending;
