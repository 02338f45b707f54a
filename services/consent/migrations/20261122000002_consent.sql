-- migrate:up
CREATE TABLE person (
    subject text PRIMARY KEY CHECK (subject ~ '^[0-9a-f]{32}$'),
    revision bigint NOT NULL CHECK (revision >= 0),
    wrapped_key bytea NOT NULL
);
COMMENT ON TABLE person IS 'Whom anything is written down about; without the row its records cannot be opened.';
COMMENT ON COLUMN person.revision IS 'The highest revision given out, also to changes that were dropped.';
COMMENT ON COLUMN person.wrapped_key IS 'The key of the person''s records, wrapped under the service''s record key.';

CREATE TABLE notice_serving (
    id uuid PRIMARY KEY,
    subject text NOT NULL REFERENCES person,
    notice text NOT NULL REFERENCES notice,
    serve_time timestamptz NOT NULL,
    request_id uuid NOT NULL,
    request_sha256 text NOT NULL,
    sealed bytea NOT NULL,
    UNIQUE (subject, request_id)
);
COMMENT ON TABLE notice_serving IS 'That a notice was shown to a person, kept apart from what they chose.';
COMMENT ON COLUMN notice_serving.sealed IS 'Language, surface, build and digest of the rendered text.';

CREATE TABLE consent_event (
    id uuid PRIMARY KEY,
    subject text NOT NULL REFERENCES person,
    revision bigint NOT NULL CHECK (revision > 0),
    purpose text NOT NULL,
    type text NOT NULL,
    event_time timestamptz NOT NULL,
    expire_time timestamptz,
    notice text NOT NULL REFERENCES notice,
    serving uuid,
    policy_sha256 text NOT NULL,
    cascade_of text,
    request_id uuid,
    sealed bytea NOT NULL,
    UNIQUE (subject, revision)
);
CREATE INDEX consent_event_purpose ON consent_event (subject, purpose, revision DESC);
CREATE INDEX consent_event_request ON consent_event (subject, request_id);
CREATE INDEX consent_event_expire_time ON consent_event (expire_time) WHERE expire_time IS NOT NULL;
COMMENT ON TABLE consent_event IS 'What was decided or ran out; rows are added, and deleted only with the person''s account.';
COMMENT ON COLUMN consent_event.sealed IS 'Jurisdiction, age and the bound of older media.';

CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER consent_event_append_only BEFORE UPDATE ON consent_event
FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER notice_append_only BEFORE UPDATE OR DELETE ON notice
FOR EACH ROW EXECUTE FUNCTION refuse_update();

CREATE TABLE request (
    subject text NOT NULL REFERENCES person,
    request_id uuid NOT NULL,
    sha256 text NOT NULL,
    revision bigint NOT NULL,
    answer_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE request IS 'Calls that were answered, so that a repeated one gets the first answer.';

CREATE TABLE pending_change (
    subject text PRIMARY KEY REFERENCES person,
    begin_time timestamptz NOT NULL,
    sealed bytea NOT NULL
);
CREATE INDEX pending_change_begin_time ON pending_change (begin_time);
COMMENT ON TABLE pending_change IS 'Changes on their way to the keys; the sweep ends those that were interrupted.';

-- migrate:down
DROP TABLE pending_change;
DROP TABLE request;
DROP TABLE consent_event;
DROP TABLE notice_serving;
DROP TRIGGER notice_append_only ON notice;
DROP FUNCTION refuse_update;
DROP TABLE person;
