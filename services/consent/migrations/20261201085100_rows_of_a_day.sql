-- migrate:up
CREATE INDEX notice_serving_time ON notice_serving (subject, serve_time DESC);
CREATE INDEX request_time ON request (subject, answer_time DESC);

-- migrate:down
DROP INDEX request_time;
DROP INDEX notice_serving_time;
