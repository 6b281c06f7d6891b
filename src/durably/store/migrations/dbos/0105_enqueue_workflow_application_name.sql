-- enqueue_workflow learns application_name. The form without it goes, else a call could mean either.
-- Locks: none that anybody waits for.
DROP FUNCTION IF EXISTS {schema}.enqueue_workflow(
    text, text, json[], json, text, text, text, text, bigint, bigint, text, integer, text, text, text, bigint
);

CREATE OR REPLACE FUNCTION {schema}.enqueue_workflow(
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
            serialization, recovery_attempts, owner_xid, inputs
        ) VALUES (
            id, workflow_name, enqueue_workflow.class_name, enqueue_workflow.config_name,
            enqueue_workflow.application_name, app_version,
            CASE WHEN enqueue_workflow.delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END,
            enqueue_workflow.delay_until_epoch_ms, enqueue_workflow.queue_name,
            enqueue_workflow.queue_partition_key, enqueue_workflow.deduplication_id,
            coalesce(enqueue_workflow.priority, 0), timeout_ms, deadline_epoch_ms,
            enqueue_workflow.authenticated_user, enqueue_workflow.authenticated_roles,
            'portable_json', 0, gen_random_uuid()::text,
            json_build_object('positionalArgs', positional_args, 'namedArgs', named_args)::text
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
    RETURN id;
END
$body$;
