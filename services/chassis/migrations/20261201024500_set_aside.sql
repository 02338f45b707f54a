-- migrate:up
CREATE TABLE set_aside (
    kind text NOT NULL,
    item text NOT NULL,
    person text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    first_time timestamptz NOT NULL,
    next_time timestamptz NOT NULL,
    PRIMARY KEY (kind, item)
);
CREATE INDEX set_aside_person ON set_aside (person);
COMMENT ON TABLE set_aside IS 'Items of loops that failed and are tried again later; one that succeeds is deleted.';
COMMENT ON COLUMN set_aside.person IS 'Pseudonym of the person it belongs to; empty for none.';

ALTER TABLE dead_letter ADD COLUMN person text NOT NULL DEFAULT '', ADD COLUMN retry_time timestamptz;
CREATE INDEX dead_letter_person ON dead_letter (person);
CREATE INDEX dead_letter_create_time ON dead_letter (create_time);
CREATE INDEX dead_letter_retry ON dead_letter (consumer, retry_time) WHERE retry_time IS NOT NULL;
COMMENT ON COLUMN dead_letter.person IS 'Pseudonym of the person it is about; empty where the event does not say.';
COMMENT ON COLUMN dead_letter.retry_time IS 'When an operator asked that it be handled again; empty once it was tried.';

-- migrate:down
DROP INDEX dead_letter_retry, dead_letter_create_time, dead_letter_person;
ALTER TABLE dead_letter DROP COLUMN retry_time, DROP COLUMN person;
DROP TABLE set_aside;
