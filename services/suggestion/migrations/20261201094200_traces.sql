-- migrate:up
ALTER TABLE due ADD COLUMN trace text DEFAULT '' NOT NULL, ADD COLUMN upload_time timestamptz;

COMMENT ON COLUMN due.trace IS 'W3C traceparent of what came last with one; the refresh goes on with it. Empty for none, as mostly.';
COMMENT ON COLUMN due.upload_time IS 'When the photo was uploaded that has waited longest; empty if no new one has come.';

-- migrate:down
ALTER TABLE due DROP COLUMN trace, DROP COLUMN upload_time;
