-- migrate:up
CREATE INDEX rendition_object ON rendition (object);
CREATE INDEX suggestion_offer ON suggestion (offer_time) WHERE state IN ('READY', 'SEEN');
CREATE INDEX decision_age ON decision (create_time);
CREATE INDEX due_quiet ON due (last_time);
CREATE INDEX due_first ON due (first_time);

-- migrate:down
DROP INDEX due_first, due_quiet, decision_age, suggestion_offer, rendition_object;
