-- migrate:up
ALTER TABLE media ADD COLUMN trace text DEFAULT '' NOT NULL, ADD COLUMN upload_time timestamptz;

COMMENT ON COLUMN media.trace IS 'W3C traceparent that its analysis goes on with; empty for none, as mostly, and once it is done.';
COMMENT ON COLUMN media.upload_time IS 'When it was uploaded, while it has never been analysed: from then on its owner waits.';

-- migrate:down
ALTER TABLE media DROP COLUMN trace, DROP COLUMN upload_time;
