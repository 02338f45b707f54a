-- migrate:up
CREATE TABLE media (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    purpose text NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    objects text[] NOT NULL,
    sealed_metadata bytea NOT NULL,
    metadata_revision bigint NOT NULL,
    delete_time timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'DONE', 'PARKED')),
    parked_reason text CHECK ((parked_reason IS NOT NULL) = (state = 'PARKED')),
    generation bigint NOT NULL DEFAULT 1,
    attempts integer NOT NULL DEFAULT 0,
    faults integer NOT NULL DEFAULT 0,
    next_attempt_time timestamptz NOT NULL,
    claim_id uuid,
    claim_end_time timestamptz,
    drafts text[] NOT NULL DEFAULT '{}',
    receive_time timestamptz NOT NULL,
    analyze_time timestamptz,
    renewal boolean NOT NULL DEFAULT false
);
CREATE INDEX media_subject ON media (subject, id);
CREATE INDEX media_due ON media (next_attempt_time, id) WHERE state = 'PENDING';
CREATE INDEX media_renewal ON media (receive_time DESC, id) WHERE renewal;
CREATE INDEX media_delete_time ON media (delete_time);
CREATE INDEX media_data_key ON media (data_key_id);
COMMENT ON TABLE media IS 'Pictures to be analysed, and how far each has come; what they are is sealed.';
COMMENT ON COLUMN media.generation IS 'Rises whenever more becomes due; a commit of an older one leaves it pending.';
COMMENT ON COLUMN media.metadata_revision IS 'Rises with every change of what is known of it, as ingest tells.';
COMMENT ON COLUMN media.renewal IS
    'Its findings are by other models: they serve on until they are made again, when nothing fresh is due.';
COMMENT ON COLUMN media.faults IS 'Failures that no outage explains; too many park it.';
COMMENT ON COLUMN media.drafts IS 'Objects of previews that unfinished claims may have put into the bucket.';

CREATE TABLE findings (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    purpose text NOT NULL,
    models text NOT NULL,
    data_key_id uuid NOT NULL UNIQUE,
    purpose_revision bigint NOT NULL,
    sealed bytea NOT NULL,
    metadata_revision bigint NOT NULL,
    PRIMARY KEY (media_id, purpose)
);
COMMENT ON COLUMN findings.metadata_revision IS 'Of the metadata that the record holds a copy of.';
COMMENT ON TABLE findings IS 'What was learnt of a media for one purpose, by the models that learnt it; sealed.';

CREATE TABLE previews (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    size text NOT NULL CHECK (size IN ('THUMBNAIL', 'SCREEN')),
    object text NOT NULL,
    byte_offset bigint NOT NULL CHECK (byte_offset >= 0),
    byte_count bigint NOT NULL CHECK (byte_count > 0),
    data_key_id uuid NOT NULL UNIQUE,
    purpose_revision bigint NOT NULL,
    PRIMARY KEY (media_id, size)
);
COMMENT ON TABLE previews IS 'Sealed previews: which bytes of which object in the bucket `previews`.';

CREATE TABLE fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (subject, purpose)
);
COMMENT ON TABLE fence IS 'Results made under this fencing number or an older one are not stored any more.';

CREATE TABLE tombstone (
    data_key_id uuid PRIMARY KEY,
    create_time timestamptz NOT NULL
);
CREATE INDEX tombstone_create_time ON tombstone (create_time);
COMMENT ON TABLE tombstone IS 'Data keys that were destroyed: what they seal is not stored any more.';

-- migrate:down
DROP TABLE tombstone;
DROP TABLE fence;
DROP TABLE previews;
DROP TABLE findings;
DROP TABLE media;
