-- migrate:up
CREATE TABLE erasure (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    subject text NOT NULL,
    request_id uuid NOT NULL,
    media uuid,
    request_time timestamptz NOT NULL,
    keys_destroy_time timestamptz NOT NULL,
    purge_time timestamptz,
    UNIQUE (subject, request_id)
);
CREATE INDEX erasure_subject ON erasure (subject, number);
CREATE INDEX erasure_media ON erasure (subject, media);
COMMENT ON TABLE erasure IS 'Erasures of one media, or of everything of a person if media is null.';

CREATE TABLE erased_subject (
    subject text PRIMARY KEY,
    erase_time timestamptz NOT NULL
);
COMMENT ON TABLE erased_subject IS 'Tombstones: decisions from before the erasure that come in late are refused.';

CREATE TABLE purge_order (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    service text NOT NULL,
    subject text NOT NULL,
    cause text NOT NULL,
    data_key_ids uuid[],
    purpose text,
    revision bigint,
    erase_time timestamptz,
    erasure uuid REFERENCES erasure (id) ON DELETE CASCADE,
    create_time timestamptz NOT NULL,
    complete_time timestamptz
);
CREATE INDEX purge_order_outstanding ON purge_order (service, number) WHERE complete_time IS NULL;
CREATE INDEX purge_order_erasure ON purge_order (erasure);
COMMENT ON TABLE purge_order IS 'What services must delete: data_key_ids, or a purpose up to a revision, or all up to a revision and erase_time.';

CREATE TABLE store_purge (
    purge_order uuid NOT NULL REFERENCES purge_order (id) ON DELETE CASCADE,
    store text NOT NULL,
    purged_count bigint NOT NULL,
    PRIMARY KEY (purge_order, store)
);
COMMENT ON TABLE store_purge IS 'What each store deleted for an order.';

-- migrate:down
DROP TABLE store_purge, purge_order, erased_subject, erasure;
