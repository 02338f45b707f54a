-- migrate:up
CREATE TABLE suggestion (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    state text NOT NULL CHECK (state IN ('READY', 'SEEN', 'SAVED', 'DISMISSED', 'EXPIRED')),
    state_before_dismissal text CHECK (state_before_dismissal IN ('READY', 'SEEN', 'SAVED')),
    purpose text NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    sealed bytea NOT NULL,
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    offer_time timestamptz NOT NULL,
    delete_time timestamptz NOT NULL,
    CHECK ((state = 'DISMISSED') = (state_before_dismissal IS NOT NULL))
);
CREATE INDEX suggestion_subject ON suggestion (subject);
CREATE INDEX suggestion_data_key ON suggestion (data_key_id);
COMMENT ON TABLE suggestion IS 'Suggestions: where each stands; what it is about lies sealed.';
COMMENT ON COLUMN suggestion.state_before_dismissal IS 'What a restoration leads back to; set while it is dismissed.';
COMMENT ON COLUMN suggestion.purpose IS 'The purpose under whose key the record is sealed: LOCATION where places made it.';
COMMENT ON COLUMN suggestion.offer_time IS 'Since when it is offered: when it was made, or when it was restored.';

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
COMMENT ON TABLE rendition IS 'Renditions of a suggestion: names of sealed objects and their sizes.';

CREATE TABLE decision (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    decision text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE decision IS 'Decisions carried out, by request, so that a repeated request is harmless.';

CREATE TABLE due (
    subject text PRIMARY KEY,
    first_time timestamptz NOT NULL,
    last_time timestamptz NOT NULL
);
COMMENT ON TABLE due IS 'Persons with photos analyzed since their suggestions were last made.';

CREATE TABLE fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (subject, purpose)
);
COMMENT ON TABLE fence IS 'Results made under this revision of a purpose''s key or an older one are refused.';

CREATE TABLE tombstone (
    data_key_id uuid PRIMARY KEY,
    create_time timestamptz NOT NULL
);
CREATE INDEX tombstone_create_time ON tombstone (create_time);
COMMENT ON TABLE tombstone IS 'Data keys that were destroyed: what they seal is not stored any more.';

-- migrate:down
DROP TABLE tombstone;
DROP TABLE fence;
DROP TABLE due;
DROP TABLE decision;
DROP TABLE rendition;
DROP TABLE suggestion;
