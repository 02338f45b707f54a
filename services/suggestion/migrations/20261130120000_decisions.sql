-- migrate:up
-- Dropped, not renamed: it holds requests of the last 30 days alone, and a renamed table keeps its constraints' names.
DROP TABLE act;
CREATE TABLE decision (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    decision text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE decision IS 'Decisions carried out, by request, so that a repeated request is harmless.';
COMMENT ON TABLE suggestion IS 'Suggestions: where each stands; what it is about lies sealed.';
COMMENT ON TABLE rendition IS 'Renditions of a suggestion: names of sealed objects and their sizes.';
COMMENT ON TABLE due IS 'Persons with photos analyzed since their suggestions were last made.';
COMMENT ON COLUMN suggestion.purpose IS 'The purpose under whose key the record is sealed: LOCATION where places made it.';

-- migrate:down
COMMENT ON COLUMN suggestion.purpose IS 'The purpose under whose key the idea is sealed: LOCATION where places made it.';
COMMENT ON TABLE due IS 'Persons with photos understood since their ideas were last made.';
COMMENT ON TABLE rendition IS 'Pictures of an idea: names of sealed objects and their sizes.';
COMMENT ON TABLE suggestion IS 'Ideas: where each stands; what it is about lies sealed.';
DROP TABLE decision;
CREATE TABLE act (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    suggestion_id uuid NOT NULL,
    act text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (subject, request_id)
);
COMMENT ON TABLE act IS 'Requests carried out, so that a repeated one is harmless.';
