-- migrate:up
ALTER TABLE findings ADD COLUMN stale boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN findings.stale IS 'The record holds an older copy of the metadata than its media has.';

CREATE FUNCTION find_stale_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stale := EXISTS (
        SELECT FROM media
        WHERE id = NEW.media_id AND purpose = NEW.purpose AND metadata_revision > NEW.metadata_revision
    );
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION find_stale_record IS 'A record says whether it is behind its media, so that none has to be looked for.';
CREATE TRIGGER findings_stale BEFORE INSERT OR UPDATE OF metadata_revision ON findings
FOR EACH ROW EXECUTE FUNCTION find_stale_record();

CREATE FUNCTION make_record_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE findings SET stale = true
    WHERE media_id = NEW.id AND purpose = NEW.purpose AND metadata_revision < NEW.metadata_revision;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION make_record_stale IS 'What an owner changes of a media makes the record that holds a copy of it stale.';
CREATE TRIGGER media_metadata AFTER UPDATE OF metadata_revision ON media
FOR EACH ROW WHEN (OLD.metadata_revision < NEW.metadata_revision) EXECUTE FUNCTION make_record_stale();

UPDATE findings SET stale = true FROM media
WHERE media.id = findings.media_id AND media.purpose = findings.purpose
    AND findings.metadata_revision < media.metadata_revision;

CREATE INDEX findings_stale ON findings (media_id) WHERE stale;
CREATE INDEX findings_models ON findings (purpose, models);
CREATE INDEX media_done ON media (subject) WHERE state = 'DONE';

-- migrate:down
DROP INDEX media_done, findings_models, findings_stale;
DROP TRIGGER media_metadata ON media;
DROP TRIGGER findings_stale ON findings;
DROP FUNCTION make_record_stale, find_stale_record;
ALTER TABLE findings DROP COLUMN stale;
