-- migrate:up
ALTER TABLE media ADD COLUMN claimer integer;
CREATE INDEX media_claimer ON media (claimer) WHERE claim_id IS NOT NULL;
COMMENT ON COLUMN media.claimer IS
    'Which process claimed it: one that lives holds an advisory lock of this number. Empty: the claim just runs out.';

-- migrate:down
DROP INDEX media_claimer;
ALTER TABLE media DROP COLUMN claimer;
