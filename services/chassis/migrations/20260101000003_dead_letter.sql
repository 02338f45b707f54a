-- migrate:up
CREATE TABLE dead_letter (
    consumer text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    event_time timestamptz NOT NULL,
    body bytea NOT NULL,
    deliveries integer NOT NULL,
    reason text NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
COMMENT ON TABLE dead_letter IS 'Events that could not be handled; an operator looks, the sweep does the work.';

-- migrate:down
DROP TABLE dead_letter;
