-- migrate:up
CREATE TABLE journal_position (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    journal text NOT NULL,
    number bigint NOT NULL,
    digest text NOT NULL
);
COMMENT ON TABLE journal_position IS 'How far this database has seen the journal of destructions; one row.';

-- migrate:down
DROP TABLE journal_position;
