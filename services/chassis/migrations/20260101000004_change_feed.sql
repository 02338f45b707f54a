-- migrate:up
CREATE TABLE change_head (
    subject text PRIMARY KEY,
    incarnation bigint NOT NULL DEFAULT floor(random() * 9e15),
    sequence bigint NOT NULL DEFAULT 0,
    purged_sequence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE change_head IS
    'The number of the last change to what a person has; its lock gives a person''s changes the order of their commits.';
COMMENT ON COLUMN change_head.incarnation IS 'Tells a head that was deleted and made anew from the one before.';
COMMENT ON COLUMN change_head.purged_sequence IS 'The last change whose tombstone is gone: a device that knows less begins anew.';

CREATE TABLE change_feed (
    subject text NOT NULL,
    resource text NOT NULL,
    sequence bigint NOT NULL,
    created_sequence bigint NOT NULL,
    deleted boolean NOT NULL,
    change_time timestamptz NOT NULL,
    PRIMARY KEY (subject, resource)
);
CREATE UNIQUE INDEX change_feed_sequence ON change_feed (subject, sequence);
CREATE INDEX change_feed_tombstone ON change_feed (change_time) WHERE deleted;
COMMENT ON TABLE change_feed IS 'The latest change of each resource; a deleted one stays as a tombstone for a while.';

CREATE TABLE change_acknowledgement (
    subject text NOT NULL,
    device text NOT NULL,
    incarnation bigint NOT NULL,
    snapshot bigint NOT NULL,
    sequence bigint NOT NULL,
    acknowledge_time timestamptz NOT NULL,
    PRIMARY KEY (subject, device)
);
CREATE INDEX change_acknowledgement_time ON change_acknowledgement (acknowledge_time);
COMMENT ON TABLE change_acknowledgement IS 'How far each device of a person knows the changes.';

-- Takes numbers for changes, and with them the person's turn until the end of the transaction.
CREATE FUNCTION take_changes(person text, wanted bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    INSERT INTO change_head AS head (subject, sequence) VALUES (person, wanted)
    ON CONFLICT (subject) DO UPDATE SET sequence = head.sequence + wanted
    RETURNING head.sequence INTO last;
    PERFORM pg_notify('change_feed', person);
    RETURN last - wanted;
END
$$;

CREATE FUNCTION record_changed(person text, resources text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    names text[] := ARRAY(SELECT DISTINCT name FROM unnest(resources) AS name ORDER BY name);
    before bigint;
BEGIN
    IF cardinality(names) = 0 THEN
        RETURN;
    END IF;
    before := take_changes(person, cardinality(names));
    INSERT INTO change_feed AS known (subject, resource, sequence, created_sequence, deleted, change_time)
    SELECT person, name, before + place, before + place, false, clock_timestamp()
    FROM unnest(names) WITH ORDINALITY AS each (name, place)
    ON CONFLICT (subject, resource) DO UPDATE
    SET sequence = excluded.sequence,
        created_sequence = CASE WHEN known.deleted THEN excluded.sequence ELSE known.created_sequence END,
        deleted = false,
        change_time = excluded.change_time;
END
$$;
COMMENT ON FUNCTION record_changed IS 'Says that resources of a person were created or changed, in this transaction.';

CREATE FUNCTION record_deleted(person text, resources text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    names text[] := ARRAY(SELECT DISTINCT name FROM unnest(resources) AS name ORDER BY name);
    before bigint;
BEGIN
    IF cardinality(names) = 0 THEN
        RETURN;
    END IF;
    before := take_changes(person, cardinality(names));
    UPDATE change_feed
    SET sequence = before + place, deleted = true, change_time = clock_timestamp()
    FROM unnest(names) WITH ORDINALITY AS each (name, place)
    WHERE subject = person AND resource = name AND NOT deleted;
END
$$;
COMMENT ON FUNCTION record_deleted IS
    'Says that resources of a person are gone, in this transaction; what is no resource of theirs is passed over.';

CREATE FUNCTION record_all_deleted(person text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM take_changes(person, 0); -- from here on no other transaction adds a resource
    PERFORM record_deleted(person, ARRAY(SELECT resource FROM change_feed WHERE subject = person AND NOT deleted));
END
$$;
COMMENT ON FUNCTION record_all_deleted IS 'Says that all resources of a person are gone, in this transaction.';

CREATE FUNCTION forget_changes(person text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM change_head WHERE subject = person;
    DELETE FROM change_feed WHERE subject = person;
    DELETE FROM change_acknowledgement WHERE subject = person;
    PERFORM pg_notify('change_feed', person);
END
$$;
COMMENT ON FUNCTION forget_changes IS 'Deletes all that the feed knows about a person; a follower begins anew.';

-- migrate:down
DROP FUNCTION forget_changes, record_all_deleted, record_deleted, record_changed, take_changes;
DROP TABLE change_acknowledgement, change_feed, change_head;
