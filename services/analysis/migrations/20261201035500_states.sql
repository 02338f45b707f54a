-- migrate:up
CREATE INDEX media_state ON media (state);

-- migrate:down
DROP INDEX media_state;
