-- The system database: DBOS's tables at generation 125, as a fresh database gets them.
--
-- This file is the truth about the layout; migrations/dbos/ brings an older database to the same catalog, and a
-- test compares both with what the real package makes. The tables are a protocol shared with DBOS applications
-- and clients in other languages: nothing of ours may be added here (ours is in migrations/durably/).
--
-- {schema} stands for the quoted schema name. Run in one transaction, under the migration lock; it takes only
-- locks on what it creates. The schema itself exists already. Times are milliseconds since 1970, on the database's
-- clock unless a comment says otherwise.

-- Which generation these tables are. One row; its writers UPDATE it. (A DBOS application that died early leaves it
-- behind, empty.)
CREATE TABLE IF NOT EXISTS {schema}.dbos_migrations (
    version bigint NOT NULL,
    PRIMARY KEY (version)
);

-- One row per workflow. `status` moves like this, and by nobody else:
--
--   (none)                         -> ENQUEUED    enqueue by a client, an application, SQL, a schedule; a fork
--   (none)                         -> DELAYED     enqueue with a delay
--   (none)                         -> PENDING     direct start in an application
--   DELAYED                        -> ENQUEUED    delay_until_epoch_ms is over (any application process)
--   ENQUEUED                       -> PENDING     claim by an executor: new owner_xid, recovery_attempts + 1
--   PENDING                        -> SUCCESS     outcome, only by the holder of owner_xid
--   PENDING                        -> ERROR       outcome, only by the holder of owner_xid
--   PENDING                        -> ENQUEUED    recovery: its executor is dead
--   PENDING                        -> MAX_RECOVERY_ATTEMPTS_EXCEEDED    set aside after too many claims
--   ENQUEUED, DELAYED, PENDING     -> CANCELLED   deadline is over
--   all but SUCCESS, ERROR         -> CANCELLED   cancel
--   all but SUCCESS, ERROR         -> ENQUEUED    resume
--   SUCCESS, ERROR, CANCELLED, MAX_RECOVERY_ATTEMPTS_EXCEEDED -> ENQUEUED    rewind
--   any                            -> (row gone)  delete, retention
--
-- ENQUEUED waits on queue_name; PENDING runs at executor_id; the last four are terminal and set completed_at.
-- Every transition out of PENDING sets owner_xid to NULL, so that the former owner's late write matches no row.
CREATE TABLE {schema}.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,                       -- JSON array
    request text,                                   -- never written any more
    output text,                                    -- legacy: workflow_output since 109
    error text,                                     -- legacy: workflow_output since 109
    executor_id text,
    created_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    updated_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    application_version text,                       -- NULL: whichever version is the latest
    application_id text,
    class_name character varying(255) DEFAULT NULL, -- NULL, never ''
    config_name character varying(255) DEFAULT NULL,
    recovery_attempts bigint DEFAULT 0,             -- claims so far
    queue_name text,
    workflow_timeout_ms bigint,                     -- counts from the claim, then becomes the deadline
    workflow_deadline_epoch_ms bigint,
    inputs text,                                    -- legacy: workflow_input since 109
    started_at_epoch_ms bigint,                     -- when it was claimed; NULL for a direct start
    deduplication_id text,                          -- held until the workflow ends
    priority integer DEFAULT 0 NOT NULL,            -- lower runs first
    queue_partition_key text,
    forked_from text,
    owner_xid text,                                 -- fencing token of the current run
    parent_workflow_id text,
    serialization text,                             -- how inputs and outcome are written
    delay_until_epoch_ms bigint,                    -- kept after the delay is over
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,    -- claimed under a rate limit
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,                          -- NULL: the first application that claims it
    creator_xid text,                               -- token of the creating attempt
    PRIMARY KEY (workflow_uuid)
);

-- Deduplication: one holder of an id on a queue.
CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON {schema}.workflow_status
    (queue_name, deduplication_id) WHERE deduplication_id IS NOT NULL;
-- Claims, on a queue and on one partition of a queue. A query must say status IN ('ENQUEUED', 'PENDING') literally.
CREATE INDEX idx_workflow_status_in_flight_v2 ON {schema}.workflow_status
    (queue_name, status, priority, created_at) INCLUDE (application_name)
    WHERE status IN ('ENQUEUED', 'PENDING');
CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON {schema}.workflow_status
    (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name)
    WHERE status IN ('ENQUEUED', 'PENDING') AND queue_partition_key IS NOT NULL;
CREATE INDEX idx_workflow_status_rate_limited ON {schema}.workflow_status
    (queue_name, started_at_epoch_ms) WHERE rate_limited = true;
-- Recovery, delays, deadlines.
CREATE INDEX idx_workflow_status_pending ON {schema}.workflow_status (created_at) WHERE status = 'PENDING';
CREATE INDEX idx_workflow_status_delayed ON {schema}.workflow_status
    (delay_until_epoch_ms) WHERE status = 'DELAYED';
CREATE INDEX idx_workflow_status_deadline ON {schema}.workflow_status
    (workflow_deadline_epoch_ms)
    WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED') AND workflow_deadline_epoch_ms IS NOT NULL;
-- Listing and retention.
CREATE INDEX workflow_status_created_at_index ON {schema}.workflow_status (created_at);
CREATE INDEX idx_workflow_status_failed ON {schema}.workflow_status
    (status, created_at) WHERE status IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX idx_workflow_status_started_at ON {schema}.workflow_status
    (started_at_epoch_ms) WHERE started_at_epoch_ms IS NOT NULL;
CREATE INDEX idx_workflow_status_completed_at ON {schema}.workflow_status
    (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX idx_workflow_status_forked_from ON {schema}.workflow_status
    (forked_from) WHERE forked_from IS NOT NULL;
CREATE INDEX idx_workflow_status_parent_workflow_id ON {schema}.workflow_status
    (parent_workflow_id) WHERE parent_workflow_id IS NOT NULL;
CREATE INDEX idx_workflow_status_schedule_name ON {schema}.workflow_status
    (schedule_name) WHERE schedule_name IS NOT NULL;
CREATE INDEX idx_workflow_status_attributes ON {schema}.workflow_status
    USING gin (attributes) WHERE attributes IS NOT NULL;

-- What a workflow was called with. No foreign key: retention removes payloads on their own.
CREATE TABLE {schema}.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    PRIMARY KEY (workflow_uuid)
);
CREATE INDEX idx_workflow_input_retention ON {schema}.workflow_input (retention_timestamp);

-- How a workflow ended: output or error, never both.
CREATE TABLE {schema}.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    PRIMARY KEY (workflow_uuid)
);
CREATE INDEX idx_workflow_output_retention ON {schema}.workflow_output (retention_timestamp);

-- One row per recorded operation of a workflow (step, child start, sleep, receive, ...), written once.
CREATE TABLE {schema}.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT '' NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,                     -- the executor's clock
    completed_at_epoch_ms bigint,                   -- the executor's clock
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    PRIMARY KEY (workflow_uuid, function_id)
);
CREATE INDEX idx_operation_outputs_retention ON {schema}.operation_outputs (retention_timestamp);
CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON {schema}.operation_outputs
    (completed_at_epoch_ms, function_name) INCLUDE (application_name);

-- Messages to workflows. No topic is written as '__null__topic__'. A message is consumed once, oldest first.
CREATE TABLE {schema}.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer,
    PRIMARY KEY (message_uuid),
    FOREIGN KEY (destination_uuid) REFERENCES {schema}.workflow_status (workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX idx_workflow_topic ON {schema}.notifications (destination_uuid, topic);

-- Events that a workflow publishes: the current value of each key, and each value by the operation that set it.
CREATE TABLE {schema}.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES {schema}.workflow_status (workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE {schema}.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES {schema}.workflow_status (workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);

-- Streams that a workflow writes: values of a key, offsets dense from 0.
CREATE TABLE {schema}.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES {schema}.workflow_status (workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);

-- Queues and their limits. NULL is no limit; partition_* hold for each partition of a queue.
CREATE TABLE {schema}.queues (
    queue_id text DEFAULT gen_random_uuid()::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    updated_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision,
    PRIMARY KEY (queue_id),
    UNIQUE (name)
);

-- Versions of applications; the latest timestamp is the version that takes work without one.
CREATE TABLE {schema}.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    created_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    application_name text,
    PRIMARY KEY (version_id),
    UNIQUE (version_name)
);
CREATE UNIQUE INDEX uq_application_versions_owner_version ON {schema}.application_versions
    (application_name, version_name) WHERE application_name IS NOT NULL;
CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON {schema}.application_versions
    (version_name) WHERE application_name IS NULL;
CREATE INDEX idx_application_versions_timestamp ON {schema}.application_versions (version_timestamp DESC);
CREATE INDEX idx_application_versions_owner_timestamp ON {schema}.application_versions
    (application_name, version_timestamp DESC);

-- Cron schedules. status: ACTIVE <-> PAUSED, by the operator.
CREATE TABLE {schema}.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE' NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text,
    PRIMARY KEY (schedule_id),
    UNIQUE (schedule_name)
);

-- Not used by durably; DBOS's event receivers keep their positions here.
CREATE TABLE {schema}.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38, 0),
    update_time numeric(38, 15),
    PRIMARY KEY (service_name, workflow_fn_name, key)
);

-- Enqueues a workflow from SQL, in the caller's transaction, and returns its id. An id that exists is returned as
-- it is (only updated_at moves; neither name nor class is compared). Runs with the caller's rights. Locks: the
-- workflow's row.
CREATE FUNCTION {schema}.enqueue_workflow(
    workflow_name text,
    queue_name text,
    positional_args json[] DEFAULT ARRAY[]::json[],
    named_args json DEFAULT '{}'::json,
    class_name text DEFAULT NULL,
    config_name text DEFAULT NULL,
    workflow_id text DEFAULT NULL,
    app_version text DEFAULT NULL,
    timeout_ms bigint DEFAULT NULL,
    deadline_epoch_ms bigint DEFAULT NULL,
    deduplication_id text DEFAULT NULL,
    priority integer DEFAULT NULL,
    queue_partition_key text DEFAULT NULL,
    authenticated_user text DEFAULT NULL,
    authenticated_roles text DEFAULT NULL,
    delay_until_epoch_ms bigint DEFAULT NULL,
    application_name text DEFAULT NULL
) RETURNS text LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    id text := coalesce(workflow_id, gen_random_uuid()::text);
    broken_constraint text;
BEGIN
    IF coalesce(workflow_name, '') = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    ELSIF coalesce(enqueue_workflow.queue_name, '') = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    ELSIF jsonb_typeof(named_args::jsonb) <> 'object' THEN  -- as jsonb: no NUL, no lone surrogate
        RAISE EXCEPTION 'Named args must be a JSON object';
    ELSIF workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    ELSIF enqueue_workflow.delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;

    BEGIN
        INSERT INTO {schema}.workflow_status AS existing (
            workflow_uuid, name, class_name, config_name, application_name, application_version,
            status, delay_until_epoch_ms, queue_name, queue_partition_key, deduplication_id, priority,
            workflow_timeout_ms, workflow_deadline_epoch_ms, authenticated_user, authenticated_roles,
            serialization, recovery_attempts, owner_xid
        ) VALUES (
            id, workflow_name, enqueue_workflow.class_name, enqueue_workflow.config_name,
            enqueue_workflow.application_name, app_version,
            CASE WHEN enqueue_workflow.delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END,
            enqueue_workflow.delay_until_epoch_ms, enqueue_workflow.queue_name,
            enqueue_workflow.queue_partition_key, enqueue_workflow.deduplication_id,
            coalesce(enqueue_workflow.priority, 0), timeout_ms, deadline_epoch_ms,
            enqueue_workflow.authenticated_user, enqueue_workflow.authenticated_roles,
            'portable_json', 0, gen_random_uuid()::text
        )
        ON CONFLICT (workflow_uuid) DO UPDATE SET updated_at = excluded.updated_at;
    EXCEPTION WHEN unique_violation THEN
        GET STACKED DIAGNOSTICS broken_constraint = CONSTRAINT_NAME;
        IF broken_constraint <> 'uq_workflow_status_dedup_id' THEN
            RAISE;
        END IF;
        RAISE EXCEPTION 'DBOS queue duplicated' USING
            ERRCODE = 'unique_violation',
            DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists',
                            id, enqueue_workflow.queue_name, enqueue_workflow.deduplication_id);
    END;

    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    VALUES (id, json_build_object('positionalArgs', positional_args, 'namedArgs', named_args)::text)
    ON CONFLICT (workflow_uuid) DO NOTHING;
    RETURN id;
END
$body$;

-- Sends a message to a workflow from SQL, in the caller's transaction. A message_id that exists sends nothing. Runs
-- with the caller's rights. Locks: the destination's row, FOR KEY SHARE.
CREATE FUNCTION {schema}.send_message(
    destination_id text,
    message json,
    topic text DEFAULT NULL,
    message_id text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
#variable_conflict use_column
BEGIN
    INSERT INTO {schema}.notifications (message_uuid, destination_uuid, topic, message, serialization)
    VALUES (
        coalesce(message_id, gen_random_uuid()::text), destination_id,
        coalesce(send_message.topic, '__null__topic__'), send_message.message::text, 'portable_json'
    )
    ON CONFLICT (message_uuid) DO NOTHING;
EXCEPTION WHEN foreign_key_violation THEN
    RAISE EXCEPTION 'DBOS non-existent workflow' USING
        ERRCODE = 'foreign_key_violation',
        DETAIL = format('Destination workflow %s does not exist', destination_id);
END
$body$;

-- listen_notify: from here on only where listen/notify is wanted.
-- Wakes whoever waits for a message: `<workflow>::<topic>`.
CREATE FUNCTION {schema}.notifications_function()
RETURNS trigger LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM pg_notify('dbos_notifications_channel', NEW.destination_uuid || '::' || NEW.topic);
    RETURN NEW;
END
$body$;

CREATE TRIGGER dbos_notifications_trigger AFTER INSERT ON {schema}.notifications
    FOR EACH ROW EXECUTE FUNCTION {schema}.notifications_function();
