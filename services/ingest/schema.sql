-- What the chassis's and this service's migrations make; written by deploy/dump-schemas.

CREATE FUNCTION public.count_row_that_came() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO usage (subject, used_bytes, row_count) VALUES (NEW.subject, 0, 1)
    ON CONFLICT (subject) DO UPDATE SET row_count = usage.row_count + 1;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.count_row_that_came() IS 'Rows are counted in the commit that brings them, whatever brings them.';

CREATE FUNCTION public.count_rows_that_went() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gone) THEN
        RETURN NULL;
    END IF;
    -- In one order for all, so that two that delete rows of many persons never wait for each other.
    PERFORM FROM usage WHERE subject IN (SELECT subject FROM gone) ORDER BY subject FOR UPDATE;
    UPDATE usage SET row_count = greatest(0, usage.row_count - counted.gone_count)
    FROM (SELECT subject, count(*) AS gone_count FROM gone GROUP BY subject) AS counted
    WHERE usage.subject = counted.subject;
    -- What stays of a person behind a purge goes later: then nothing says any more that they were here.
    DELETE FROM usage WHERE subject IN (SELECT subject FROM gone) AND used_bytes = 0 AND row_count = 0;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.count_rows_that_went() IS 'Rows are no longer counted once they are gone, whatever deletes them.';

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

CREATE FUNCTION public.forget_missing_media() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM missing_media WHERE data_key_id = OLD.data_key_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.forget_missing_media() IS 'What is gone, or replaced by a new upload, is not missing any more.';

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

CREATE TABLE public.media (
    id uuid NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid NOT NULL,
    form text NOT NULL,
    tag bytea NOT NULL,
    size_bytes bigint NOT NULL,
    sealed_metadata bytea NOT NULL,
    upload_time timestamp with time zone NOT NULL,
    delete_time timestamp with time zone NOT NULL,
    original_wanted boolean DEFAULT false NOT NULL,
    metadata_revision bigint NOT NULL,
    CONSTRAINT media_size_bytes_check CHECK ((size_bytes > 0))
);

COMMENT ON TABLE public.media IS 'Pictures that are kept; what they are is sealed.';

COMMENT ON COLUMN public.media.tag IS 'HMAC-SHA256 of the original''s SHA-256 under the person''s lookup key.';

COMMENT ON COLUMN public.media.metadata_revision IS 'Rises with every change of what is known of it.';

CREATE TABLE public.upload (
    id uuid NOT NULL,
    subject text NOT NULL,
    request_id uuid NOT NULL,
    request_tag bytea NOT NULL,
    media_id uuid NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid,
    form text NOT NULL,
    tag bytea NOT NULL,
    bytes_tag bytea NOT NULL,
    size_bytes bigint NOT NULL,
    writer bigint DEFAULT 0 NOT NULL,
    committed_bytes bigint DEFAULT 0 NOT NULL,
    chunked_bytes bigint DEFAULT 0 NOT NULL,
    seal_prefix bytea,
    sealed_announcement bytea NOT NULL,
    create_time timestamp with time zone NOT NULL,
    expire_time timestamp with time zone NOT NULL,
    delete_time timestamp with time zone NOT NULL,
    complete_time timestamp with time zone,
    sealed_tail bytea,
    CONSTRAINT upload_check CHECK (((committed_bytes >= 0) AND (committed_bytes <= size_bytes))),
    CONSTRAINT upload_check1 CHECK ((chunked_bytes <= committed_bytes)),
    CONSTRAINT upload_size_bytes_check CHECK ((size_bytes > 0))
);

COMMENT ON TABLE public.upload IS 'Uploads under way, and complete ones for as long as a repeated call may ask for them.';

COMMENT ON COLUMN public.upload.writer IS 'How many streams have taken it over; the newest alone may commit.';

COMMENT ON COLUMN public.upload.sealed_tail IS 'The bytes that fill no chunk of the stream yet, sealed by themselves.';

CREATE FUNCTION public.store_at_once(new_upload public.upload, new_media public.media, new_object text, object_bytes bigint, quota_bytes bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Shared with other commits, but never beside a purge; what follows sees every fence that is up.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(new_upload.subject, 0));
    IF EXISTS (
        SELECT FROM fence
        WHERE subject = new_upload.subject AND purpose = new_upload.purpose
            AND revision >= new_upload.purpose_revision
    ) THEN
        RAISE EXCEPTION 'fenced' USING ERRCODE = 'PLFEN';
    END IF;
    INSERT INTO usage (subject, used_bytes) VALUES (new_upload.subject, new_upload.size_bytes)
    ON CONFLICT (subject) DO UPDATE SET used_bytes = usage.used_bytes + excluded.used_bytes
    WHERE usage.used_bytes + excluded.used_bytes <= quota_bytes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no room' USING ERRCODE = 'PLNOR';
    END IF;
    INSERT INTO upload SELECT (new_upload).*;
    INSERT INTO media SELECT (new_media).*;
    INSERT INTO segment (object, data_key_id, position, size_bytes)
    VALUES (new_object, new_media.data_key_id, 0, object_bytes);
    DELETE FROM deleted_media WHERE subject = new_media.subject AND tag = new_media.tag;
END
$$;

COMMENT ON FUNCTION public.store_at_once(new_upload public.upload, new_media public.media, new_object text, object_bytes bigint, quota_bytes bigint) IS 'An upload that came in one go, with its media; refused as a whole or not at all.';

CREATE FUNCTION public.store_at_once(new_upload public.upload, new_media public.media, new_object text, object_bytes bigint, quota_bytes bigint, row_bytes bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Shared with other commits, but never beside a purge; what follows sees every fence that is up.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(new_upload.subject, 0));
    IF EXISTS (
        SELECT FROM fence
        WHERE subject = new_upload.subject AND purpose = new_upload.purpose
            AND revision >= new_upload.purpose_revision
    ) THEN
        RAISE EXCEPTION 'fenced' USING ERRCODE = 'PLFEN';
    END IF;
    INSERT INTO usage (subject, used_bytes) VALUES (new_upload.subject, new_upload.size_bytes)
    ON CONFLICT (subject) DO UPDATE SET used_bytes = usage.used_bytes + excluded.used_bytes
    WHERE usage.used_bytes + usage.row_count * row_bytes + excluded.used_bytes + row_bytes <= quota_bytes;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no room' USING ERRCODE = 'PLNOR';
    END IF;
    INSERT INTO upload SELECT (new_upload).*;
    INSERT INTO media SELECT (new_media).*;
    INSERT INTO segment (object, data_key_id, position, size_bytes)
    VALUES (new_object, new_media.data_key_id, 0, object_bytes);
    DELETE FROM deleted_media WHERE subject = new_media.subject AND tag = new_media.tag;
END
$$;

COMMENT ON FUNCTION public.store_at_once(new_upload public.upload, new_media public.media, new_object text, object_bytes bigint, quota_bytes bigint, row_bytes bigint) IS 'An upload that came in one go, with its media; refused as a whole or not at all.';

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

CREATE FUNCTION public.tell_media_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM record_deleted(OLD.subject, ARRAY['media/' || OLD.id]);
    ELSE
        PERFORM record_changed(NEW.subject, ARRAY['media/' || NEW.id]);
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.tell_media_change() IS 'Every change of what a person keeps stands in their change feed, in the same commit.';

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

CREATE TABLE public.deleted_media (
    subject text NOT NULL,
    media_id uuid NOT NULL,
    tag bytea NOT NULL,
    purpose_revision bigint NOT NULL,
    deletion_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.deleted_media IS 'What its owner deleted and is not to be asked for again; forgotten after the longest retention.';

CREATE TABLE public.device (
    subject text NOT NULL,
    id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    data_key_id uuid,
    sealed_description bytea,
    seal_time timestamp with time zone NOT NULL,
    create_time timestamp with time zone NOT NULL,
    last_seen_time timestamp with time zone NOT NULL,
    revoke_time timestamp with time zone,
    CONSTRAINT device_check CHECK (((revoke_time IS NULL) = (data_key_id IS NOT NULL))),
    CONSTRAINT device_check1 CHECK (((data_key_id IS NULL) = (sealed_description IS NULL)))
);

COMMENT ON TABLE public.device IS 'Devices of a person; a revoked one stays as a tombstone, so that it does not register again.';

CREATE TABLE public.discard (
    data_key_id uuid NOT NULL,
    subject text NOT NULL,
    purpose text NOT NULL,
    purpose_revision bigint NOT NULL,
    objects text[] NOT NULL,
    create_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.discard IS 'Streams that nothing refers to any more: objects to delete, and then their key to destroy.';

CREATE TABLE public.fence (
    subject text NOT NULL,
    purpose text NOT NULL,
    revision bigint NOT NULL,
    raise_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.fence IS 'What was sealed under this revision of a purpose''s key, or an older one, may not come in any more.';

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

CREATE TABLE public.lookup_key (
    subject text NOT NULL,
    data_key_id uuid NOT NULL,
    purpose_revision bigint NOT NULL,
    sealed_key bytea NOT NULL,
    seal_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.lookup_key IS 'The person''s key of all tags, sealed under a data key that is renewed while it is in use.';

CREATE TABLE public.missing_media (
    data_key_id uuid NOT NULL,
    subject text NOT NULL,
    media_id uuid NOT NULL,
    broken boolean NOT NULL,
    find_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.missing_media IS 'Media whose bytes cannot be read: their owners are asked for them again.';

COMMENT ON COLUMN public.missing_media.broken IS 'Whether the objects are there, and their seal does not open.';

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

CREATE TABLE public.request (
    subject text NOT NULL,
    request_id uuid NOT NULL,
    request_tag bytea NOT NULL,
    create_time timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.request IS 'Requests of the last day that no other row remembers; their tags tell nothing of what they said.';

CREATE TABLE public.segment (
    object text NOT NULL,
    data_key_id uuid NOT NULL,
    "position" integer NOT NULL,
    size_bytes bigint NOT NULL
);

COMMENT ON TABLE public.segment IS 'Objects of the bucket, in the order in which they make one sealed stream.';

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

CREATE TABLE public.usage (
    subject text NOT NULL,
    used_bytes bigint NOT NULL,
    row_count bigint DEFAULT 0 NOT NULL,
    CONSTRAINT usage_row_count_check CHECK ((row_count >= 0)),
    CONSTRAINT usage_used_bytes_check CHECK ((used_bytes >= 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.usage IS 'Plain bytes of a person''s media and open uploads together, and how many rows there are.';

COMMENT ON COLUMN public.usage.row_count IS 'Of upload, media, deleted_media and request: each counts towards the quota.';

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

ALTER TABLE ONLY public.deleted_media
    ADD CONSTRAINT deleted_media_pkey PRIMARY KEY (subject, media_id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_data_key_id_key UNIQUE (data_key_id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (subject, id);

ALTER TABLE ONLY public.discard
    ADD CONSTRAINT discard_pkey PRIMARY KEY (data_key_id);

ALTER TABLE ONLY public.fence
    ADD CONSTRAINT fence_pkey PRIMARY KEY (subject, purpose);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id);

ALTER TABLE ONLY public.journal_position
    ADD CONSTRAINT journal_position_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_name_holder_key UNIQUE (name, holder);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.lookup_key
    ADD CONSTRAINT lookup_key_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_data_key_id_key UNIQUE (data_key_id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_subject_tag_key UNIQUE (subject, tag);

ALTER TABLE ONLY public.missing_media
    ADD CONSTRAINT missing_media_pkey PRIMARY KEY (data_key_id);

ALTER TABLE ONLY public.orphan
    ADD CONSTRAINT orphan_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_id_key UNIQUE (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (subject, request_id);

ALTER TABLE ONLY public.segment
    ADD CONSTRAINT segment_data_key_id_position_key UNIQUE (data_key_id, "position");

ALTER TABLE ONLY public.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (object);

ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT set_aside_pkey PRIMARY KEY (kind, item);

ALTER TABLE ONLY public.turn
    ADD CONSTRAINT turn_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.upload
    ADD CONSTRAINT upload_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.upload
    ADD CONSTRAINT upload_subject_request_id_key UNIQUE (subject, request_id);

ALTER TABLE ONLY public.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (subject);

CREATE INDEX change_acknowledgement_time ON public.change_acknowledgement USING btree (acknowledge_time);

CREATE UNIQUE INDEX change_feed_sequence ON public.change_feed USING btree (subject, sequence);

CREATE INDEX change_feed_tombstone ON public.change_feed USING btree (change_time) WHERE deleted;

CREATE INDEX dead_letter_create_time ON public.dead_letter USING btree (create_time);

CREATE INDEX dead_letter_person ON public.dead_letter USING btree (person);

CREATE INDEX dead_letter_retry ON public.dead_letter USING btree (consumer, retry_time) WHERE (retry_time IS NOT NULL);

CREATE INDEX deleted_media_age ON public.deleted_media USING btree (deletion_time);

CREATE INDEX deleted_media_tag ON public.deleted_media USING btree (subject, tag);

CREATE INDEX discard_age ON public.discard USING btree (create_time);

CREATE INDEX discard_objects ON public.discard USING gin (objects);

CREATE INDEX inbox_receive_time ON public.inbox USING btree (receive_time);

CREATE INDEX media_newest ON public.media USING btree (subject, upload_time DESC, id DESC);

CREATE INDEX outbox_person ON public.outbox USING btree (person, create_time) WHERE (person <> ''::text);

CREATE INDEX outbox_sent ON public.outbox USING btree (incarnation, sequence) WHERE (sequence IS NOT NULL);

CREATE INDEX outbox_unsent ON public.outbox USING btree ("position") WHERE (sequence IS NULL);

CREATE INDEX request_age ON public.request USING btree (create_time);

CREATE INDEX set_aside_person ON public.set_aside USING btree (person);

CREATE INDEX turn_expire_time ON public.turn USING btree (expire_time);

CREATE INDEX upload_data_key ON public.upload USING btree (data_key_id);

CREATE INDEX upload_expiry ON public.upload USING btree (expire_time);

CREATE INDEX upload_newest_open ON public.upload USING btree (subject, create_time DESC, id DESC) WHERE (complete_time IS NULL);

CREATE UNIQUE INDEX upload_open_bytes ON public.upload USING btree (subject, bytes_tag) WHERE (complete_time IS NULL);

CREATE CONSTRAINT TRIGGER media_came AFTER INSERT OR DELETE ON public.media DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.tell_media_change();

CREATE CONSTRAINT TRIGGER media_changed AFTER UPDATE ON public.media DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.sealed_metadata IS DISTINCT FROM new.sealed_metadata)) EXECUTE FUNCTION public.tell_media_change();

CREATE TRIGGER media_left AFTER DELETE ON public.media FOR EACH ROW EXECUTE FUNCTION public.forget_missing_media();

CREATE TRIGGER media_replaced AFTER UPDATE OF data_key_id ON public.media FOR EACH ROW WHEN ((old.data_key_id <> new.data_key_id)) EXECUTE FUNCTION public.forget_missing_media();

CREATE TRIGGER row_came AFTER INSERT ON public.deleted_media FOR EACH ROW EXECUTE FUNCTION public.count_row_that_came();

CREATE TRIGGER row_came AFTER INSERT ON public.media FOR EACH ROW EXECUTE FUNCTION public.count_row_that_came();

CREATE TRIGGER row_came AFTER INSERT ON public.request FOR EACH ROW EXECUTE FUNCTION public.count_row_that_came();

CREATE TRIGGER row_came AFTER INSERT ON public.upload FOR EACH ROW EXECUTE FUNCTION public.count_row_that_came();

CREATE TRIGGER rows_went AFTER DELETE ON public.deleted_media REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.count_rows_that_went();

CREATE TRIGGER rows_went AFTER DELETE ON public.media REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.count_rows_that_went();

CREATE TRIGGER rows_went AFTER DELETE ON public.request REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.count_rows_that_went();

CREATE TRIGGER rows_went AFTER DELETE ON public.upload REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.count_rows_that_went();
