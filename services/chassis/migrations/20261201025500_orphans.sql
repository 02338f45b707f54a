-- migrate:up
CREATE TABLE bucket_walk (
    bucket text PRIMARY KEY,
    after text COLLATE "C" NOT NULL,
    next_time timestamptz NOT NULL
);
COMMENT ON TABLE bucket_walk IS 'How far the walk through a bucket has come; one process at a time takes a page.';
COMMENT ON COLUMN bucket_walk.after IS 'The name after which the next page begins; empty for the beginning.';

CREATE TABLE orphan (
    bucket text NOT NULL,
    name text COLLATE "C" NOT NULL,
    first_time timestamptz NOT NULL,
    PRIMARY KEY (bucket, name)
);
COMMENT ON TABLE orphan IS 'Objects that no row names, and since when that is known; removed after a time of grace.';

-- migrate:down
DROP TABLE orphan, bucket_walk;
