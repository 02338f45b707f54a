-- migrate:up
ALTER TABLE suggestion ADD COLUMN purpose text NOT NULL DEFAULT 'CLOUD_PROCESSING';
ALTER TABLE suggestion ALTER COLUMN purpose DROP DEFAULT;
COMMENT ON COLUMN suggestion.purpose IS 'The purpose under whose key the idea is sealed: LOCATION where places made it.';

CREATE TABLE tombstone (
    data_key_id uuid PRIMARY KEY,
    create_time timestamptz NOT NULL
);
CREATE INDEX tombstone_create_time ON tombstone (create_time);
COMMENT ON TABLE tombstone IS 'Data keys that were destroyed: what they seal is not stored any more.';

-- migrate:down
DROP TABLE tombstone;
ALTER TABLE suggestion DROP COLUMN purpose;
