-- migrate:up
CREATE TABLE epoch (
    id text PRIMARY KEY,
    make_time timestamptz NOT NULL,
    destroy_time timestamptz
);
COMMENT ON TABLE epoch IS 'Days whose keys wrap purpose keys; the keys themselves are files outside the database.';

CREATE SEQUENCE purpose_revision AS bigint;
COMMENT ON SEQUENCE purpose_revision IS 'Fencing numbers: a new key of any purpose has a higher one than all before.';

CREATE TABLE purpose_key (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    consent_revision bigint NOT NULL,
    expire_time timestamptz NOT NULL,
    reach_back_time timestamptz,
    epoch text NOT NULL REFERENCES epoch (id),
    sealed bytea NOT NULL,
    PRIMARY KEY (subject, purpose)
);
CREATE INDEX purpose_key_epoch ON purpose_key (epoch);
CREATE INDEX purpose_key_expire_time ON purpose_key (expire_time);
COMMENT ON TABLE purpose_key IS 'Consent: a row lives exactly as long as the grant of a purpose.';

CREATE TABLE purpose_decision (
    subject text NOT NULL,
    purpose text NOT NULL,
    consent_revision bigint NOT NULL,
    PRIMARY KEY (subject, purpose)
);
COMMENT ON TABLE purpose_decision IS 'The latest decision seen for a purpose, so that an older one that comes late is refused.';

CREATE TABLE data_key (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    owner text NOT NULL,
    sealed bytea NOT NULL,
    delete_time timestamptz NOT NULL,
    lineage uuid[] NOT NULL
);
CREATE INDEX data_key_purpose ON data_key (subject, purpose, purpose_revision);
CREATE INDEX data_key_delete_time ON data_key (delete_time);
CREATE INDEX data_key_lineage ON data_key USING gin (lineage);
COMMENT ON TABLE data_key IS 'One key for each sealed artefact, sealed under its purpose key.';

CREATE TABLE media (
    subject text NOT NULL,
    media uuid NOT NULL,
    purpose text,
    purpose_revision bigint,
    delete_time timestamptz NOT NULL,
    PRIMARY KEY (subject, media)
);
CREATE INDEX media_delete_time ON media (delete_time);
COMMENT ON TABLE media IS 'Under which purpose key a media came in, and when it ends: nothing derives from it afterwards.';

-- migrate:down
DROP TABLE media, data_key, purpose_decision, purpose_key, epoch;
DROP SEQUENCE purpose_revision;
