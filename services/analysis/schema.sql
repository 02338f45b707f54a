-- What the chassis's and this service's migrations make; written by deploy/dump-schemas.

CREATE FUNCTION public.find_stale_record() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.stale := EXISTS (
        SELECT FROM media
        WHERE id = NEW.media_id AND purpose = NEW.purpose AND metadata_revision > NEW.metadata_revision
    );
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.find_stale_record() IS 'A record says whether it is behind its media, so that none has to be looked for.';

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

CREATE FUNCTION public.make_record_stale() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE findings SET stale = true
    WHERE media_id = NEW.id AND purpose = NEW.purpose AND metadata_revision < NEW.metadata_revision;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.make_record_stale() IS 'What an owner changes of a media makes the record that holds a copy of it stale.';

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

CREATE TABLE public.fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL
);

COMMENT ON TABLE public.fence IS 'Results made under this fencing number or an older one are not stored any more.';

CREATE TABLE public.findings (
    media_id uuid NOT NULL,
    purpose text NOT NULL,
    models text NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    sealed bytea NOT NULL,
    metadata_revision bigint NOT NULL,
    stale boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE public.findings IS 'What was learnt of a media for one purpose, by the models that learnt it; sealed.';

COMMENT ON COLUMN public.findings.metadata_revision IS 'Of the metadata that the record holds a copy of.';

COMMENT ON COLUMN public.findings.stale IS 'The record holds an older copy of the metadata than its media has.';

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

CREATE TABLE public.media (
    id uuid NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    objects text[] NOT NULL,
    sealed_metadata bytea NOT NULL,
    metadata_revision bigint NOT NULL,
    delete_time timestamp with time zone NOT NULL,
    state text DEFAULT 'PENDING'::text NOT NULL,
    parked_reason text,
    generation bigint DEFAULT 1 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    faults integer DEFAULT 0 NOT NULL,
    next_attempt_time timestamp with time zone NOT NULL,
    claim_id uuid,
    claim_end_time timestamp with time zone,
    drafts text[] DEFAULT '{}'::text[] NOT NULL,
    receive_time timestamp with time zone NOT NULL,
    analyze_time timestamp with time zone,
    renewal boolean DEFAULT false NOT NULL,
    claimer integer,
    trace text DEFAULT ''::text NOT NULL,
    upload_time timestamp with time zone,
    CONSTRAINT media_check CHECK (((parked_reason IS NOT NULL) = (state = 'PARKED'::text))),
    CONSTRAINT media_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'DONE'::text, 'PARKED'::text])))
);

COMMENT ON TABLE public.media IS 'Pictures to be analysed, and how far each has come; what they are is sealed.';

COMMENT ON COLUMN public.media.metadata_revision IS 'Rises with every change of what is known of it, as ingest tells.';

COMMENT ON COLUMN public.media.generation IS 'Rises whenever more becomes due; a commit of an older one leaves it pending.';

COMMENT ON COLUMN public.media.faults IS 'Failures that no outage explains; too many park it.';

COMMENT ON COLUMN public.media.drafts IS 'Objects of previews that unfinished claims may have put into the bucket.';

COMMENT ON COLUMN public.media.renewal IS 'Its findings are by other models: they serve on until they are made again, when nothing fresh is due.';

COMMENT ON COLUMN public.media.claimer IS 'Which process claimed it: one that lives holds an advisory lock of this number. Empty: the claim just runs out.';

COMMENT ON COLUMN public.media.trace IS 'W3C traceparent that its analysis goes on with; empty for none, as mostly, and once it is done.';

COMMENT ON COLUMN public.media.upload_time IS 'When it was uploaded, while it has never been analysed: from then on its owner waits.';

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

CREATE TABLE public.previews (
    media_id uuid NOT NULL,
    size text NOT NULL,
    object text NOT NULL,
    byte_offset bigint NOT NULL,
    byte_count bigint NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    CONSTRAINT previews_byte_count_check CHECK ((byte_count > 0)),
    CONSTRAINT previews_byte_offset_check CHECK ((byte_offset >= 0)),
    CONSTRAINT previews_size_check CHECK ((size = ANY (ARRAY['THUMBNAIL'::text, 'SCREEN'::text])))
);

COMMENT ON TABLE public.previews IS 'Sealed previews: which bytes of which object in the bucket `previews`.';

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

CREATE TABLE public.tombstone (
    data_key_id uuid NOT NULL,
    create_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.tombstone IS 'Data keys that were destroyed: what they seal is not stored any more.';

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

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.fence
    ADD CONSTRAINT fence_pkey PRIMARY KEY (subject, purpose);

ALTER TABLE ONLY public.findings
    ADD CONSTRAINT findings_data_key_id_key UNIQUE (data_key_id);

ALTER TABLE ONLY public.findings
    ADD CONSTRAINT findings_pkey PRIMARY KEY (media_id, purpose);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_name_holder_key UNIQUE (name, holder);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orphan
    ADD CONSTRAINT orphan_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_id_key UNIQUE (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.previews
    ADD CONSTRAINT previews_data_key_id_key UNIQUE (data_key_id);

ALTER TABLE ONLY public.previews
    ADD CONSTRAINT previews_pkey PRIMARY KEY (media_id, size);

ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (kind, item);

ALTER TABLE ONLY public.tombstone
    ADD CONSTRAINT tombstone_pkey PRIMARY KEY (data_key_id);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_pkey PRIMARY KEY (key);

CREATE INDEX change_acknowledgement_time ON public.change_acknowledgement USING btree (acknowledge_time);

CREATE UNIQUE INDEX change_feed_sequence ON public.change_feed USING btree (subject, sequence);

CREATE INDEX change_feed_tombstone ON public.change_feed USING btree (change_time) WHERE deleted;

CREATE INDEX dead_letter_create_time ON public.dead_letter USING btree (create_time);

CREATE INDEX dead_letter_person ON public.dead_letter USING btree (person);

CREATE INDEX dead_letter_retry ON public.dead_letter USING btree (consumer, retry_time) WHERE (retry_time IS NOT NULL);

CREATE INDEX findings_models ON public.findings USING btree (purpose, models);

CREATE INDEX findings_stale ON public.findings USING btree (media_id) WHERE stale;

CREATE INDEX inbox_receive_time ON public.inbox USING btree (receive_time);

CREATE INDEX media_claimer ON public.media USING btree (claimer) WHERE (claim_id IS NOT NULL);

CREATE INDEX media_data_key ON public.media USING btree (data_key_id);

CREATE INDEX media_delete_time ON public.media USING btree (delete_time);

CREATE INDEX media_done ON public.media USING btree (subject) WHERE (state = 'DONE'::text);

CREATE INDEX media_due ON public.media USING btree (next_attempt_time, id) WHERE (state = 'PENDING'::text);

CREATE INDEX media_renewal ON public.media USING btree (receive_time DESC, id) WHERE renewal;

CREATE INDEX media_state ON public.media USING btree (state);

CREATE INDEX media_subject ON public.media USING btree (subject, id);

CREATE INDEX outbox_person ON public.outbox USING btree (person, create_time) WHERE (person <> ''::text);

CREATE INDEX outbox_sent ON public.outbox USING btree (incarnation, sequence) WHERE (sequence IS NOT NULL);

CREATE INDEX outbox_unsent ON public.outbox USING btree ("position") WHERE (sequence IS NULL);

CREATE INDEX set_aside_person ON public.set_aside USING btree (person);

CREATE INDEX tombstone_create_time ON public.tombstone USING btree (create_time);

CREATE INDEX turn_expire_time ON public.turn USING btree (expire_time);

CREATE TRIGGER findings_stale BEFORE INSERT OR UPDATE OF metadata_revision ON public.findings FOR EACH ROW EXECUTE FUNCTION public.find_stale_record();

CREATE TRIGGER media_metadata AFTER UPDATE OF metadata_revision ON public.media FOR EACH ROW WHEN ((old.metadata_revision < new.metadata_revision)) EXECUTE FUNCTION public.make_record_stale();

ALTER TABLE ONLY public.findings
    ADD CONSTRAINT findings_media_id_fkey FOREIGN KEY (media_id) REFERENCES public.media(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.previews
    ADD CONSTRAINT previews_media_id_fkey FOREIGN KEY (media_id) REFERENCES public.media(id) ON DELETE CASCADE;
