-- migrate:up
CREATE TABLE replica (
    id uuid PRIMARY KEY,
    beat_time timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE replica IS 'Processes of this service that tell holders of keys what is destroyed, and when each lived last.';

-- migrate:down
DROP TABLE replica;
