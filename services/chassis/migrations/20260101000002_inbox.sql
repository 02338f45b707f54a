-- migrate:up
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id text NOT NULL,
    receive_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_receive_time ON inbox (receive_time);
COMMENT ON TABLE inbox IS 'Events whose effect is in this database; forgotten once the bus has forgotten them.';

-- migrate:down
DROP TABLE inbox;
