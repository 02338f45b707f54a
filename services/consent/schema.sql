-- What the chassis's and this service's migrations make; written by deploy/dump-schemas.

CREATE FUNCTION public.forget_changes(person text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM change_head WHERE subject = person;
    DELETE FROM change_feed WHERE subject = person;
    DELETE FROM change_acknowledgement WHERE subject = person;
    PERFORM pg_notify('change_feed', person);
END
$$;

COMMENT ON FUNCTION public.forget_changes(person text) IS 'Deletes all that the feed knows about a person; a follower begins anew.';

CREATE FUNCTION public.record_all_deleted(person text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM take_changes(person, 0); -- from here on no other transaction adds a resource
    PERFORM record_deleted(person, ARRAY(SELECT resource FROM change_feed WHERE subject = person AND NOT deleted));
END
$$;

COMMENT ON FUNCTION public.record_all_deleted(person text) IS 'Says that all resources of a person are gone, in this transaction.';

CREATE FUNCTION public.record_changed(person text, resources text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    names text[] := ARRAY(SELECT DISTINCT name FROM unnest(resources) AS name ORDER BY name);
    before bigint;
BEGIN
    IF cardinality(names) = 0 THEN
        RETURN;
    END IF;
    before := take_changes(person, cardinality(names));
    INSERT INTO change_feed AS known (subject, resource, sequence, created_sequence, deleted, change_time)
    SELECT person, name, before + place, before + place, false, clock_timestamp()
    FROM unnest(names) WITH ORDINALITY AS each (name, place)
    ON CONFLICT (subject, resource) DO UPDATE
    SET sequence = excluded.sequence,
        created_sequence = CASE WHEN known.deleted THEN excluded.sequence ELSE known.created_sequence END,
        deleted = false,
        change_time = excluded.change_time;
END
$$;

COMMENT ON FUNCTION public.record_changed(person text, resources text[]) IS 'Says that resources of a person were created or changed, in this transaction.';

CREATE FUNCTION public.record_deleted(person text, resources text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    names text[] := ARRAY(SELECT DISTINCT name FROM unnest(resources) AS name ORDER BY name);
    before bigint;
BEGIN
    IF cardinality(names) = 0 THEN
        RETURN;
    END IF;
    before := take_changes(person, cardinality(names));
    UPDATE change_feed
    SET sequence = before + place, deleted = true, change_time = clock_timestamp()
    FROM unnest(names) WITH ORDINALITY AS each (name, place)
    WHERE subject = person AND resource = name AND NOT deleted;
END
$$;

COMMENT ON FUNCTION public.record_deleted(person text, resources text[]) IS 'Says that resources of a person are gone, in this transaction; what is no resource of theirs is passed over.';

CREATE FUNCTION public.refuse_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE FUNCTION public.take_changes(person text, wanted bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    last bigint;
BEGIN
    INSERT INTO change_head AS head (subject, sequence) VALUES (person, wanted)
    ON CONFLICT (subject) DO UPDATE SET sequence = head.sequence + wanted
    RETURNING head.sequence INTO last;
    PERFORM pg_notify('change_feed', person);
    RETURN last - wanted;
END
$$;

CREATE TABLE public.bucket_walk (
    bucket text NOT NULL,
    after text NOT NULL COLLATE pg_catalog."C",
    next_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.bucket_walk IS 'How far the walk through a bucket has come; one process at a time takes a page.';

COMMENT ON COLUMN public.bucket_walk.after IS 'The name after which the next page begins; empty for the beginning.';

CREATE TABLE public.change_acknowledgement (
    subject text NOT NULL,
    device text NOT NULL,
    incarnation bigint NOT NULL,
    snapshot bigint NOT NULL,
    sequence bigint NOT NULL,
    acknowledge_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.change_acknowledgement IS 'How far each device of a person knows the changes.';

CREATE TABLE public.change_feed (
    subject text NOT NULL,
    resource text NOT NULL,
    sequence bigint NOT NULL,
    created_sequence bigint NOT NULL,
    deleted boolean NOT NULL,
    change_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.change_feed IS 'The latest change of each resource; a deleted one stays as a tombstone for a while.';

CREATE TABLE public.change_head (
    subject text NOT NULL,
    incarnation bigint DEFAULT floor((random() * ('9000000000000000'::numeric)::double precision)) NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    purged_sequence bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.change_head IS 'The number of the last change to what a person has; its lock gives a person''s changes the order of their commits.';

COMMENT ON COLUMN public.change_head.incarnation IS 'Tells a head that was deleted and made anew from the one before.';

COMMENT ON COLUMN public.change_head.purged_sequence IS 'The last change whose tombstone is gone: a device that knows less begins anew.';

CREATE TABLE public.consent_event (
    id uuid NOT NULL,
    subject text NOT NULL,
    revision bigint NOT NULL,
    purpose text NOT NULL,
    type text NOT NULL,
    event_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone,
    notice text NOT NULL,
    serving uuid,
    policy_sha256 text NOT NULL,
    cascade_of text,
    request_id uuid,
    sealed bytea NOT NULL,
    CONSTRAINT consent_event_revision_check CHECK ((revision > 0))
);

COMMENT ON TABLE public.consent_event IS 'What was decided or ran out; rows are added, and deleted only with the person''s account.';

COMMENT ON COLUMN public.consent_event.sealed IS 'Jurisdiction, age and the bound of older media.';

CREATE TABLE public.dead_letter (
    consumer text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    event_time timestamp with time zone NOT NULL,
    body bytea NOT NULL,
    deliveries integer NOT NULL,
    reason text NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    person text DEFAULT ''::text NOT NULL,
    retry_time timestamp with time zone
);

COMMENT ON TABLE public.dead_letter IS 'Events that could not be handled; an operator looks, the sweep does the work.';

COMMENT ON COLUMN public.dead_letter.person IS 'Pseudonym of the person it is about; empty where the event does not say.';

COMMENT ON COLUMN public.dead_letter.retry_time IS 'When an operator asked that it be handled again; empty once it was tried.';

CREATE TABLE public.inbox (
    consumer text NOT NULL,
    event_id text NOT NULL,
    receive_time timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.inbox IS 'Events whose effect is in this database; forgotten once the bus has forgotten them.';

CREATE TABLE public.journal_position (
    one boolean DEFAULT true NOT NULL,
    journal text NOT NULL,
    number bigint NOT NULL,
    digest text NOT NULL,
    CONSTRAINT journal_position_one_check CHECK (one)
);

COMMENT ON TABLE public.journal_position IS 'How far this database has seen the journal of destructions; one row.';

CREATE UNLOGGED TABLE public.lease (
    name text NOT NULL,
    holder integer NOT NULL,
    take_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.lease IS 'Which process does what one process at a time does, and until when if it stands still.';

COMMENT ON COLUMN public.lease.holder IS 'Advisory lock that the process holds for as long as it lives.';

CREATE TABLE public.notice (
    digest text NOT NULL,
    edition text NOT NULL,
    canonical_json bytea NOT NULL,
    publish_time timestamp with time zone NOT NULL,
    CONSTRAINT notice_check CHECK ((encode(sha256(canonical_json), 'hex'::text) = digest)),
    CONSTRAINT notice_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
);

COMMENT ON TABLE public.notice IS 'What people are told, as published; never changed and never deleted.';

CREATE TABLE public.notice_serving (
    id uuid NOT NULL,
    subject text NOT NULL,
    notice text NOT NULL,
    serve_time timestamp with time zone NOT NULL,
    request_id uuid NOT NULL,
    request_sha256 text NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE public.notice_serving IS 'That a notice was shown to a person, kept apart from what they chose.';

COMMENT ON COLUMN public.notice_serving.sealed IS 'Language, surface, build and digest of the rendered text.';

CREATE TABLE public.orphan (
    bucket text NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    first_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.orphan IS 'Objects that no row names, and since when that is known; removed after a time of grace.';

CREATE TABLE public.outbox (
    "position" bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    body bytea NOT NULL,
    headers jsonb NOT NULL,
    create_time timestamp with time zone DEFAULT now() NOT NULL,
    sequence bigint,
    incarnation timestamp with time zone,
    losses integer DEFAULT 0 NOT NULL,
    person text DEFAULT ''::text NOT NULL
);

COMMENT ON TABLE public.outbox IS 'Events that were decided, kept until every consumer has them: the bus may lose what it holds.';

COMMENT ON COLUMN public.outbox.sequence IS 'Its place in the stream; none while the bus does not have it.';

COMMENT ON COLUMN public.outbox.incarnation IS 'When the stream was made in which it has that place.';

COMMENT ON COLUMN public.outbox.losses IS 'How often the bus lost it.';

COMMENT ON COLUMN public.outbox.person IS 'Pseudonym of the person with whom it goes.';

ALTER TABLE public.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pending_change (
    subject text NOT NULL,
    begin_time timestamp with time zone NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE public.pending_change IS 'Changes on their way to the keys; the sweep ends those that were interrupted.';

CREATE TABLE public.person (
    subject text NOT NULL,
    revision bigint NOT NULL,
    wrapped_key bytea NOT NULL,
    CONSTRAINT person_revision_check CHECK ((revision >= 0)),
    CONSTRAINT person_subject_check CHECK ((subject ~ '^[0-9a-f]{32}$'::text))
);

COMMENT ON TABLE public.person IS 'Whom anything is written down about; without the row its records cannot be opened.';

COMMENT ON COLUMN public.person.revision IS 'The highest revision given out, also to changes that were dropped.';

COMMENT ON COLUMN public.person.wrapped_key IS 'The key of the person''s records, wrapped under the service''s record key.';

CREATE TABLE public.policy (
    sha256 text NOT NULL,
    version text NOT NULL,
    content bytea NOT NULL,
    load_time timestamp with time zone NOT NULL,
    CONSTRAINT policy_check CHECK ((encode(sha256(content), 'hex'::text) = sha256)),
    CONSTRAINT policy_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

COMMENT ON TABLE public.policy IS 'Policy files that were in force, so that the digests in events can be explained.';

CREATE TABLE public.request (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    sha256 text NOT NULL,
    revision bigint NOT NULL,
    answer_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.request IS 'Calls that were answered, so that a repeated one gets the first answer.';

CREATE TABLE public.set_aside (
    kind text NOT NULL,
    item text NOT NULL,
    person text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    first_time timestamp with time zone NOT NULL,
    next_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.set_aside IS 'Items of loops that failed and are tried again later; one that succeeds is deleted.';

COMMENT ON COLUMN public.set_aside.person IS 'Pseudonym of the person it belongs to; empty for none.';

CREATE TABLE public.turn (
    key bigint NOT NULL,
    holder uuid NOT NULL,
    begin_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.turn IS 'Which work on a person goes on, and until when if its process dies; a turn that ended is deleted.';

COMMENT ON COLUMN public.turn.key IS 'Hash of the person''s pseudonym.';

ALTER TABLE ONLY public.bucket_walk
    ADD CONSTRAINT bucket_walk_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.change_acknowledgement
    ADD CONSTRAINT change_acknowledgement_pkey PRIMARY KEY (subject, device);

ALTER TABLE ONLY public.change_feed
    ADD CONSTRAINT change_feed_pkey PRIMARY KEY (subject, resource);

ALTER TABLE ONLY public.change_head
    ADD CONSTRAINT change_head_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.consent_event
    ADD CONSTRAINT consent_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.consent_event
    ADD CONSTRAINT consent_event_subject_revision_key UNIQUE (subject, revision);

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_name_holder_key UNIQUE (name, holder);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_edition_key UNIQUE (edition);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.notice_serving
    ADD CONSTRAINT notice_serving_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notice_serving
    ADD CONSTRAINT notice_serving_subject_request_id_key UNIQUE (subject, request_id);

ALTER TABLE ONLY public.orphan
    ADD CONSTRAINT orphan_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_id_key UNIQUE (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.pending_change
    ADD CONSTRAINT pending_change_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (subject, request_id);

ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (kind, item);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_pkey PRIMARY KEY (key);

CREATE INDEX change_acknowledgement_time ON public.change_acknowledgement USING btree (acknowledge_time);

CREATE UNIQUE INDEX change_feed_sequence ON public.change_feed USING btree (subject, sequence);

CREATE INDEX change_feed_tombstone ON public.change_feed USING btree (change_time) WHERE deleted;

CREATE INDEX consent_event_expire_time ON public.consent_event USING btree (expire_time) WHERE (expire_time IS NOT NULL);

CREATE INDEX consent_event_purpose ON public.consent_event USING btree (subject, purpose, revision DESC);

CREATE INDEX consent_event_request ON public.consent_event USING btree (subject, request_id);

CREATE INDEX dead_letter_create_time ON public.dead_letter USING btree (create_time);

CREATE INDEX dead_letter_person ON public.dead_letter USING btree (person);

CREATE INDEX dead_letter_retry ON public.dead_letter USING btree (consumer, retry_time) WHERE (retry_time IS NOT NULL);

CREATE INDEX inbox_receive_time ON public.inbox USING btree (receive_time);

CREATE INDEX notice_serving_time ON public.notice_serving USING btree (subject, serve_time DESC);

CREATE INDEX outbox_person ON public.outbox USING btree (person, create_time) WHERE (person <> ''::text);

CREATE INDEX outbox_sent ON public.outbox USING btree (incarnation, sequence) WHERE (sequence IS NOT NULL);

CREATE INDEX outbox_unsent ON public.outbox USING btree ("position") WHERE (sequence IS NULL);

CREATE INDEX pending_change_begin_time ON public.pending_change USING btree (begin_time);

CREATE INDEX request_time ON public.request USING btree (subject, answer_time DESC);

CREATE INDEX set_aside_person ON public.set_aside USING btree (person);

CREATE INDEX turn_expire_time ON public.turn USING btree (expire_time);

CREATE TRIGGER consent_event_append_only BEFORE UPDATE ON public.consent_event FOR EACH ROW EXECUTE FUNCTION public.refuse_update();

CREATE TRIGGER notice_append_only BEFORE DELETE OR UPDATE ON public.notice FOR EACH ROW EXECUTE FUNCTION public.refuse_update();

ALTER TABLE ONLY public.consent_event
    ADD CONSTRAINT consent_event_notice_fkey FOREIGN KEY (notice) REFERENCES public.notice(digest);

ALTER TABLE ONLY public.consent_event
    ADD CONSTRAINT consent_event_subject_fkey FOREIGN KEY (subject) REFERENCES public.person(subject);

ALTER TABLE ONLY public.notice_serving
    ADD CONSTRAINT notice_serving_notice_fkey FOREIGN KEY (notice) REFERENCES public.notice(digest);

ALTER TABLE ONLY public.notice_serving
    ADD CONSTRAINT notice_serving_subject_fkey FOREIGN KEY (subject) REFERENCES public.person(subject);

ALTER TABLE ONLY public.pending_change
    ADD CONSTRAINT pending_change_subject_fkey FOREIGN KEY (subject) REFERENCES public.person(subject);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_subject_fkey FOREIGN KEY (subject) REFERENCES public.person(subject);
