-- migrate:up
ALTER TABLE act RENAME TO decision;
ALTER TABLE decision RENAME COLUMN act TO decision;
ALTER TABLE decision RENAME CONSTRAINT act_pkey TO decision_pkey;
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
COMMENT ON TABLE decision IS 'Requests carried out, so that a repeated one is harmless.';
ALTER TABLE decision RENAME CONSTRAINT decision_pkey TO act_pkey;
ALTER TABLE decision RENAME COLUMN decision TO act;
ALTER TABLE decision RENAME TO act;
