-- migrate:up
CREATE INDEX erased_subject_time ON erased_subject (erase_time);
CREATE INDEX erased_person_time ON erased_person (erase_time);
CREATE INDEX erasure_purge_time ON erasure (purge_time) WHERE purge_time IS NOT NULL;
CREATE INDEX request_time ON request (answer_time);
CREATE INDEX account_deletion_end ON account_deletion (coalesce(cancel_time, complete_time));
CREATE INDEX purge_order_complete ON purge_order (complete_time)
    WHERE erasure IS NULL AND account_deletion IS NULL;
CREATE INDEX purge_order_lost ON purge_order (create_time) WHERE cause = 'KEY_LOST' AND service = 'retention';

-- migrate:down
DROP INDEX purge_order_lost, purge_order_complete, account_deletion_end, request_time, erasure_purge_time,
    erased_person_time, erased_subject_time;
