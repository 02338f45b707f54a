-- migrate:up
CREATE TABLE turn (
    key bigint PRIMARY KEY,
    holder uuid NOT NULL,
    begin_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL
);
CREATE INDEX turn_expire_time ON turn (expire_time);
COMMENT ON TABLE turn IS 'Which work on a person goes on, and until when if its process dies; a turn that ended is deleted.';
COMMENT ON COLUMN turn.key IS 'Hash of the person''s pseudonym.';

-- migrate:down
DROP TABLE turn;
