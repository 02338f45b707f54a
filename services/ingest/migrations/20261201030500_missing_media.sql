-- migrate:up
CREATE TABLE missing_media (
    data_key_id uuid PRIMARY KEY,
    subject text NOT NULL,
    media_id uuid NOT NULL,
    broken boolean NOT NULL,
    find_time timestamptz NOT NULL
);
COMMENT ON TABLE missing_media IS 'Media whose bytes cannot be read: their owners are asked for them again.';
COMMENT ON COLUMN missing_media.broken IS 'Whether the objects are there, and their seal does not open.';

CREATE FUNCTION forget_missing_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM missing_media WHERE data_key_id = OLD.data_key_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION forget_missing_media IS 'What is gone, or replaced by a new upload, is not missing any more.';
CREATE TRIGGER media_left AFTER DELETE ON media
FOR EACH ROW EXECUTE FUNCTION forget_missing_media();
CREATE TRIGGER media_replaced AFTER UPDATE OF data_key_id ON media
FOR EACH ROW WHEN (OLD.data_key_id <> NEW.data_key_id) EXECUTE FUNCTION forget_missing_media();

-- migrate:down
DROP TRIGGER media_replaced ON media;
DROP TRIGGER media_left ON media;
DROP FUNCTION forget_missing_media;
DROP TABLE missing_media;
