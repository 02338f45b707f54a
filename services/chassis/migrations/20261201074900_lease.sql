-- migrate:up
-- Unlogged: after a crash and on another server all sessions are gone, and with them all leases.
CREATE UNLOGGED TABLE lease (
    name text PRIMARY KEY,
    holder integer NOT NULL,
    take_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    -- Makes the holder part of a key: a check of it then stands in the way of another holder, and not of a renewal.
    UNIQUE (name, holder)
);
COMMENT ON TABLE lease IS 'Which process does what one process at a time does, and until when if it stands still.';
COMMENT ON COLUMN lease.holder IS 'Advisory lock that the process holds for as long as it lives.';

-- migrate:down
DROP TABLE lease;
