-- migrate:up
ALTER TABLE outbox ADD COLUMN sequence bigint;
ALTER TABLE outbox ADD COLUMN incarnation timestamptz;
ALTER TABLE outbox ADD COLUMN losses integer NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN person text NOT NULL DEFAULT '';
CREATE INDEX outbox_unsent ON outbox (position) WHERE sequence IS NULL;
CREATE INDEX outbox_sent ON outbox (incarnation, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX outbox_person ON outbox (person, create_time) WHERE person <> '';
COMMENT ON TABLE outbox IS 'Events that were decided, kept until every consumer has them: the bus may lose what it holds.';
COMMENT ON COLUMN outbox.sequence IS 'Its place in the stream; none while the bus does not have it.';
COMMENT ON COLUMN outbox.incarnation IS 'When the stream was made in which it has that place.';
COMMENT ON COLUMN outbox.losses IS 'How often the bus lost it.';
COMMENT ON COLUMN outbox.person IS 'Pseudonym of the person with whom it goes.';

-- migrate:down
DROP INDEX outbox_unsent, outbox_sent, outbox_person;
ALTER TABLE outbox DROP COLUMN sequence, DROP COLUMN incarnation, DROP COLUMN losses, DROP COLUMN person;
