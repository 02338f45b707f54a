-- migrate:up
CREATE TABLE notice (
    digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    edition text NOT NULL UNIQUE,
    canonical_json bytea NOT NULL CHECK (encode(sha256(canonical_json), 'hex') = digest),
    publish_time timestamptz NOT NULL
);
COMMENT ON TABLE notice IS 'What people are told, as published; never changed and never deleted.';

CREATE TABLE policy (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    version text NOT NULL,
    content bytea NOT NULL CHECK (encode(sha256(content), 'hex') = sha256),
    load_time timestamptz NOT NULL
);
COMMENT ON TABLE policy IS 'Policy files that were in force, so that the digests in events can be explained.';

-- migrate:down
DROP TABLE policy;
DROP TABLE notice;
