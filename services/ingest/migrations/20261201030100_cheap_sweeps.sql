-- migrate:up
CREATE INDEX discard_age ON discard (create_time);
CREATE INDEX discard_objects ON discard USING gin (objects);

-- migrate:down
DROP INDEX discard_objects, discard_age;
