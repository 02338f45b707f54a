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

CREATE FUNCTION public.journal_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'ACCOUNT', jsonb_build_object('subject', NEW.subject, 'revision', last_value, 'time', NEW.keys_destroy_time)
    FROM purpose_revision;
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_bound() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    VALUES ('BOUND', jsonb_build_object('revision', NEW.revision, 'time', NEW.reach_back_time));
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_data_keys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'DATA_KEYS', jsonb_agg(id) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_epoch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body) VALUES ('EPOCH', jsonb_build_object('epoch', NEW.id));
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_erased() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'PERSON', jsonb_build_object('subject', NEW.subject, 'revision', last_value, 'time', NEW.erase_time)
    FROM purpose_revision;
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_media_end() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    VALUES ('MEDIA', jsonb_build_object('media', NEW.media, 'time', NEW.delete_time));
    RETURN NULL;
END $$;

CREATE FUNCTION public.journal_purpose_keys() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO journal_pending (kind, body)
    SELECT 'PURPOSE_KEY', jsonb_build_object('revision', revision, 'subject', subject) FROM gone;
    RETURN NULL;
END $$;

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

CREATE TABLE public.account_deletion (
    id uuid NOT NULL,
    subject text NOT NULL,
    request_time timestamp with time zone NOT NULL,
    start_time timestamp with time zone NOT NULL,
    cancel_time timestamp with time zone,
    keys_destroy_time timestamp with time zone,
    complete_time timestamp with time zone
);

COMMENT ON TABLE public.account_deletion IS 'Deletions of accounts: scheduled, cancelled, begun and complete; a person has one scheduled at most.';

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

CREATE TABLE public.data_key (
    id uuid NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    owner text NOT NULL,
    sealed bytea NOT NULL,
    delete_time timestamp with time zone NOT NULL,
    lineage uuid[] NOT NULL,
    epoch text
);

COMMENT ON TABLE public.data_key IS 'One key for each sealed artefact, sealed under its purpose key and an epoch key together.';

COMMENT ON COLUMN public.data_key.epoch IS 'The epoch that wraps it; null for rows from before, which are wrapped anew once.';

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

CREATE TABLE public.epoch (
    id text NOT NULL,
    make_time timestamp with time zone NOT NULL,
    destroy_time timestamp with time zone,
    fingerprint bytea,
    gone_time timestamp with time zone,
    reappear_time timestamp with time zone
);

COMMENT ON TABLE public.epoch IS 'Days whose keys wrap purpose keys and data keys; the keys themselves are outside the database.';

COMMENT ON COLUMN public.epoch.fingerprint IS 'Tells its key from another one of its name; says nothing about the key.';

COMMENT ON COLUMN public.epoch.gone_time IS 'When its key was seen to be gone, after it was destroyed.';

COMMENT ON COLUMN public.epoch.reappear_time IS 'When its key was there again, brought back by a copy; it was destroyed once more.';

CREATE TABLE public.erased_person (
    tag text NOT NULL,
    salt text NOT NULL,
    erase_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.erased_person IS 'Tombstones that the journal told: persons by tag, as a restored database may not know their pseudonyms.';

CREATE TABLE public.erased_subject (
    subject text NOT NULL,
    erase_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.erased_subject IS 'Tombstones: decisions from before the erasure that come in late are refused.';

CREATE TABLE public.erasure (
    number bigint NOT NULL,
    id uuid NOT NULL,
    subject text NOT NULL,
    media uuid,
    request_time timestamp with time zone NOT NULL,
    keys_destroy_time timestamp with time zone NOT NULL,
    purge_time timestamp with time zone
);

COMMENT ON TABLE public.erasure IS 'Erasures of one media, or of everything of a person if media is null.';

ALTER TABLE public.erasure ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erasure_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.inbox (
    consumer text NOT NULL,
    event_id text NOT NULL,
    receive_time timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.inbox IS 'Events whose effect is in this database; forgotten once the bus has forgotten them.';

CREATE TABLE public.journal_pending (
    "position" bigint NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL
);

COMMENT ON TABLE public.journal_pending IS 'What was destroyed and is not in the journal yet; written by triggers, deleted once it is there.';

ALTER TABLE public.journal_pending ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.journal_pending_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
    subject text NOT NULL,
    media uuid NOT NULL,
    purpose text,
    purpose_revision bigint,
    delete_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.media IS 'Under which purpose key a media came in, and when it ends: nothing derives from it afterwards.';

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

CREATE TABLE public.purge_order (
    number bigint NOT NULL,
    id uuid NOT NULL,
    service text NOT NULL,
    subject text NOT NULL,
    cause text NOT NULL,
    data_key_ids uuid[],
    purpose text,
    revision bigint,
    erase_time timestamp with time zone,
    account boolean DEFAULT false NOT NULL,
    erasure uuid,
    account_deletion uuid,
    create_time timestamp with time zone NOT NULL,
    complete_time timestamp with time zone
);

COMMENT ON TABLE public.purge_order IS 'What services must delete: data_key_ids, or a purpose up to a revision, or all up to a revision and erase_time.';

ALTER TABLE public.purge_order ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.purge_order_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.purpose_decision (
    subject text NOT NULL,
    purpose text NOT NULL,
    consent_revision bigint NOT NULL
);

COMMENT ON TABLE public.purpose_decision IS 'The latest decision seen for a purpose, so that an older one that comes late is refused.';

CREATE TABLE public.purpose_key (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    consent_revision bigint NOT NULL,
    expire_time timestamp with time zone NOT NULL,
    reach_back_time timestamp with time zone,
    epoch text NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE public.purpose_key IS 'Consent: a row lives exactly as long as the grant of a purpose.';

CREATE SEQUENCE public.purpose_revision
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

COMMENT ON SEQUENCE public.purpose_revision IS 'Fencing numbers: a new key of any purpose has a higher one than all before.';

CREATE TABLE public.replica (
    id uuid NOT NULL,
    beat_time timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.replica IS 'Processes of this service that tell holders of keys what is destroyed, and when each lived last.';

CREATE TABLE public.request (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    asked text NOT NULL,
    answer uuid NOT NULL,
    answer_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.request IS 'Requests that were answered: a repeated one gets the first answer, another one under the same id is refused.';

CREATE TABLE public.revision_reservation (
    one boolean DEFAULT true NOT NULL,
    until bigint NOT NULL,
    CONSTRAINT revision_reservation_one_check CHECK (one)
);

COMMENT ON TABLE public.revision_reservation IS 'Up to where fencing numbers may have been handed out; one row.';

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

CREATE TABLE public.store_purge (
    purge_order uuid NOT NULL,
    store text NOT NULL,
    purged_count bigint NOT NULL
);

COMMENT ON TABLE public.store_purge IS 'What each store deleted for an order.';

CREATE TABLE public.turn (
    key bigint NOT NULL,
    holder uuid NOT NULL,
    begin_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.turn IS 'Which work on a person goes on, and until when if its process dies; a turn that ended is deleted.';

COMMENT ON COLUMN public.turn.key IS 'Hash of the person''s pseudonym.';

ALTER TABLE ONLY public.account_deletion
    ADD CONSTRAINT account_deletion_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bucket_walk
    ADD CONSTRAINT bucket_walk_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.change_acknowledgement
    ADD CONSTRAINT change_acknowledgement_pkey PRIMARY KEY (subject, device);

ALTER TABLE ONLY public.change_feed
    ADD CONSTRAINT change_feed_pkey PRIMARY KEY (subject, resource);

ALTER TABLE ONLY public.change_head
    ADD CONSTRAINT change_head_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.data_key
    ADD CONSTRAINT data_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT epoch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.erased_person
    ADD CONSTRAINT erased_person_pkey PRIMARY KEY (tag, salt);

ALTER TABLE ONLY public.erased_subject
    ADD CONSTRAINT erased_subject_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_id_key UNIQUE (id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.journal_pending
    ADD CONSTRAINT journal_pending_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_name_holder_key UNIQUE (name, holder);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (subject, media);

ALTER TABLE ONLY public.orphan
    ADD CONSTRAINT orphan_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_id_key UNIQUE (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.purge_order
    ADD CONSTRAINT purge_order_id_key UNIQUE (id);

ALTER TABLE ONLY public.purge_order
    ADD CONSTRAINT purge_order_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.purpose_decision
    ADD CONSTRAINT purpose_decision_pkey PRIMARY KEY (subject, purpose);

ALTER TABLE ONLY public.purpose_key
    ADD CONSTRAINT purpose_key_pkey PRIMARY KEY (subject, purpose);

ALTER TABLE ONLY public.replica
    ADD CONSTRAINT replica_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (subject, request_id);

ALTER TABLE ONLY public.revision_reservation
    ADD CONSTRAINT revision_reservation_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (kind, item);

ALTER TABLE ONLY public.store_purge
    ADD CONSTRAINT store_purge_pkey PRIMARY KEY (purge_order, store);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_pkey PRIMARY KEY (key);

CREATE INDEX account_deletion_end ON public.account_deletion USING btree (COALESCE(cancel_time, complete_time));

CREATE UNIQUE INDEX account_deletion_scheduled ON public.account_deletion USING btree (subject) WHERE ((cancel_time IS NULL) AND (keys_destroy_time IS NULL));

CREATE INDEX account_deletion_start_time ON public.account_deletion USING btree (start_time) WHERE ((cancel_time IS NULL) AND (keys_destroy_time IS NULL));

CREATE INDEX change_acknowledgement_time ON public.change_acknowledgement USING btree (acknowledge_time);

CREATE UNIQUE INDEX change_feed_sequence ON public.change_feed USING btree (subject, sequence);

CREATE INDEX change_feed_tombstone ON public.change_feed USING btree (change_time) WHERE deleted;

CREATE INDEX data_key_delete_time ON public.data_key USING btree (delete_time);

CREATE INDEX data_key_epoch ON public.data_key USING btree (epoch, id);

CREATE INDEX data_key_lineage ON public.data_key USING gin (lineage);

CREATE INDEX data_key_purpose ON public.data_key USING btree (subject, purpose, purpose_revision);

CREATE INDEX dead_letter_create_time ON public.dead_letter USING btree (create_time);

CREATE INDEX dead_letter_person ON public.dead_letter USING btree (person);

CREATE INDEX dead_letter_retry ON public.dead_letter USING btree (consumer, retry_time) WHERE (retry_time IS NOT NULL);

CREATE INDEX erased_person_time ON public.erased_person USING btree (erase_time);

CREATE INDEX erased_subject_time ON public.erased_subject USING btree (erase_time);

CREATE INDEX erasure_media ON public.erasure USING btree (subject, media);

CREATE INDEX erasure_purge_time ON public.erasure USING btree (purge_time) WHERE (purge_time IS NOT NULL);

CREATE INDEX erasure_subject ON public.erasure USING btree (subject, number);

CREATE INDEX inbox_receive_time ON public.inbox USING btree (receive_time);

CREATE INDEX media_delete_time ON public.media USING btree (delete_time);

CREATE INDEX outbox_person ON public.outbox USING btree (person, create_time) WHERE (person <> ''::text);

CREATE INDEX outbox_sent ON public.outbox USING btree (incarnation, sequence) WHERE (sequence IS NOT NULL);

CREATE INDEX outbox_unsent ON public.outbox USING btree ("position") WHERE (sequence IS NULL);

CREATE INDEX purge_order_account_deletion ON public.purge_order USING btree (account_deletion);

CREATE INDEX purge_order_complete ON public.purge_order USING btree (complete_time) WHERE ((erasure IS NULL) AND (account_deletion IS NULL));

CREATE INDEX purge_order_erasure ON public.purge_order USING btree (erasure);

CREATE INDEX purge_order_lost ON public.purge_order USING btree (create_time) WHERE ((cause = 'KEY_LOST'::text) AND (service = 'retention'::text));

CREATE INDEX purge_order_outstanding ON public.purge_order USING btree (service, number) WHERE (complete_time IS NULL);

CREATE INDEX purpose_key_epoch ON public.purpose_key USING btree (epoch);

CREATE INDEX purpose_key_expire_time ON public.purpose_key USING btree (expire_time);

CREATE INDEX request_time ON public.request USING btree (answer_time);

CREATE INDEX set_aside_person ON public.set_aside USING btree (person);

CREATE INDEX turn_expire_time ON public.turn USING btree (expire_time);

CREATE TRIGGER journal_account AFTER UPDATE OF keys_destroy_time ON public.account_deletion FOR EACH ROW WHEN ((new.keys_destroy_time IS NOT NULL)) EXECUTE FUNCTION public.journal_account();

CREATE TRIGGER journal_bound AFTER UPDATE OF reach_back_time ON public.purpose_key FOR EACH ROW WHEN ((new.reach_back_time > COALESCE(old.reach_back_time, '-infinity'::timestamp with time zone))) EXECUTE FUNCTION public.journal_bound();

CREATE TRIGGER journal_data_keys AFTER DELETE ON public.data_key REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.journal_data_keys();

CREATE TRIGGER journal_epoch AFTER UPDATE OF gone_time ON public.epoch FOR EACH ROW WHEN (((old.gone_time IS NULL) AND (new.gone_time IS NOT NULL))) EXECUTE FUNCTION public.journal_epoch();

CREATE TRIGGER journal_erased AFTER INSERT OR UPDATE ON public.erased_subject FOR EACH ROW EXECUTE FUNCTION public.journal_erased();

CREATE TRIGGER journal_media_ended AFTER INSERT ON public.media FOR EACH ROW WHEN ((new.purpose IS NULL)) EXECUTE FUNCTION public.journal_media_end();

CREATE TRIGGER journal_media_shortened AFTER UPDATE OF delete_time ON public.media FOR EACH ROW WHEN ((new.delete_time < old.delete_time)) EXECUTE FUNCTION public.journal_media_end();

CREATE TRIGGER journal_purpose_keys AFTER DELETE ON public.purpose_key REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.journal_purpose_keys();

ALTER TABLE ONLY public.purge_order
    ADD CONSTRAINT purge_order_account_deletion_fkey FOREIGN KEY (account_deletion) REFERENCES public.account_deletion(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.purge_order
    ADD CONSTRAINT purge_order_erasure_fkey FOREIGN KEY (erasure) REFERENCES public.erasure(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.purpose_key
    ADD CONSTRAINT purpose_key_epoch_fkey FOREIGN KEY (epoch) REFERENCES public.epoch(id);

ALTER TABLE ONLY public.store_purge
    ADD CONSTRAINT store_purge_purge_order_fkey FOREIGN KEY (purge_order) REFERENCES public.purge_order(id) ON DELETE CASCADE;
