-- migrate:up
CREATE TABLE suggestion (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    state text NOT NULL CHECK (state IN ('READY', 'SEEN', 'SAVED', 'DISMISSED', 'EXPIRED')),
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    sealed bytea NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    delete_time timestamptz NOT NULL
);
CREATE INDEX suggestion_subject ON suggestion (subject);
CREATE INDEX suggestion_data_key ON suggestion (data_key_id);
COMMENT ON TABLE suggestion IS 'Ideas: where each stands; what it is about lies sealed.';

CREATE TABLE rendition (
    suggestion_id uuid NOT NULL REFERENCES suggestion (id) ON DELETE CASCADE,
    number integer NOT NULL,
    data_key_id uuid NOT NULL,
    object text NOT NULL,
    layout text NOT NULL,
    content_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (suggestion_id, number)
);
CREATE INDEX rendition_data_key ON rendition (data_key_id);
COMMENT ON TABLE rendition IS 'Pictures of an idea: names of sealed objects and their sizes.';

CREATE TABLE act (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    act text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE act IS 'Requests carried out, so that a repeated one is harmless.';

CREATE TABLE due (
    subject text PRIMARY KEY,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL
);
COMMENT ON TABLE due IS 'Persons with photos understood since their ideas were last made.';

CREATE TABLE fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (subject, purpose)
);
COMMENT ON TABLE fence IS 'Results made under this revision of a purpose''s key or an older one are refused.';

-- migrate:down
DROP TABLE fence;
DROP TABLE due;
DROP TABLE act;
DROP TABLE rendition;
DROP TABLE suggestion;
