-- migrate:up
ALTER TABLE media ADD COLUMN renewal boolean NOT NULL DEFAULT false;
CREATE INDEX media_renewal ON media (receive_time DESC, id) WHERE renewal;
COMMENT ON COLUMN media.renewal IS 'Its findings are by other models: they serve on until they are made again, when nothing fresh is due.';

-- migrate:down
ALTER TABLE media DROP COLUMN renewal;
