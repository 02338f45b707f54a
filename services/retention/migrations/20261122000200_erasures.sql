-- migrate:up
CREATE TABLE erasure (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    subject text NOT NULL,
    media uuid,
    request_time timestamptz NOT NULL,
    keys_destroy_time timestamptz NOT NULL,
    purge_time timestamptz
);
CREATE INDEX erasure_subject ON erasure (subject, number);
CREATE INDEX erasure_media ON erasure (subject, media);
COMMENT ON TABLE erasure IS 'Erasures of one media, or of everything of a person if media is null.';

CREATE TABLE erased_subject (
    subject text PRIMARY KEY,
    erase_time timestamptz NOT NULL
);
COMMENT ON TABLE erased_subject IS 'Tombstones: decisions from before the erasure that come in late are refused.';

CREATE TABLE account_deletion (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    request_time timestamptz NOT NULL,
    start_time timestamptz NOT NULL,
    cancel_time timestamptz,
    keys_destroy_time timestamptz,
    complete_time timestamptz
);
CREATE UNIQUE INDEX account_deletion_scheduled ON account_deletion (subject)
    WHERE cancel_time IS NULL AND keys_destroy_time IS NULL;
CREATE INDEX account_deletion_start_time ON account_deletion (start_time)
    WHERE cancel_time IS NULL AND keys_destroy_time IS NULL;
COMMENT ON TABLE account_deletion IS 'Deletions of accounts: scheduled, cancelled, begun and complete; a person has one scheduled at most.';

CREATE TABLE request (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    asked text NOT NULL,
    answer uuid NOT NULL,
    answer_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE request IS 'Requests that were answered: a repeated one gets the first answer, another one under the same id is refused.';

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
    account boolean NOT NULL DEFAULT false,
    erasure uuid REFERENCES erasure (id) ON DELETE CASCADE,
    account_deletion uuid REFERENCES account_deletion (id) ON DELETE CASCADE,
    create_time timestamptz NOT NULL,
    complete_time timestamptz
);
CREATE INDEX purge_order_outstanding ON purge_order (service, number) WHERE complete_time IS NULL;
CREATE INDEX purge_order_erasure ON purge_order (erasure);
CREATE INDEX purge_order_account_deletion ON purge_order (account_deletion);
COMMENT ON TABLE purge_order IS 'What services must delete: data_key_ids, or a purpose up to a revision, or all up to a revision and erase_time.';

CREATE TABLE store_purge (
    purge_order uuid NOT NULL REFERENCES purge_order (id) ON DELETE CASCADE,
    store text NOT NULL,
    purged_count bigint NOT NULL,
    PRIMARY KEY (purge_order, store)
);
COMMENT ON TABLE store_purge IS 'What each store deleted for an order.';

-- migrate:down
DROP TABLE store_purge, purge_order, request, account_deletion, erased_subject, erasure;
