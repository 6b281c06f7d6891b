-- Creates workflows: ENQUEUED, DELAYED, or PENDING and run at once by their creator. An id that exists is
-- left as it is and returned (the no-op update makes the row come back); `creator_xid` tells whose it is.
-- A creation by a run needs that run's owner token and is committed with its operation; there is none where the
-- id is another workflow's or, with `reject`, in use at all.
-- What has no key for a partitioned queue is not written, for nobody would ever take it: `is_keyless`.
-- A flag or number that is NULL in what is asked is false, or nothing.
-- Raises 23505 on uq_workflow_status_dedup_id. The notice wakes the workers of the queues at commit.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, creator text, name text, class_name text, config_name text, queue_name text,
        inputs text, serialization text, run_now boolean, reject boolean, owner text, executor_id text,
        app_version text, application_name text, application_id text, authenticated_user text, assumed_role text,
        authenticated_roles text, priority int, deduplication_id text, queue_partition_key text,
        delay_seconds float8, timeout_ms bigint, deadline_ms bigint, parent_workflow_id text,
        attributes text, caller_id text, caller_owner text, function_id int, started_at bigint)
), partitioned AS MATERIALIZED (
    SELECT q.name FROM {schema}.queues q
    WHERE q.name = ANY (ARRAY(SELECT queue_name FROM asked WHERE queue_partition_key IS NULL))
      AND COALESCE(q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max) IS NOT NULL
), callers AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT caller_id FROM asked WHERE caller_id IS NOT NULL))
      AND s.owner_xid = ANY (ARRAY(SELECT caller_owner FROM asked WHERE caller_id IS NOT NULL))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), allowed AS MATERIALIZED (
    SELECT a.*, (EXTRACT(epoch FROM now()) * 1000)::bigint AS now_ms
    FROM asked a
    LEFT JOIN callers c ON c.workflow_uuid = a.caller_id AND c.owner_xid = a.caller_owner
    WHERE (a.caller_id IS NULL OR c.workflow_uuid IS NOT NULL)
      AND (a.queue_partition_key IS NOT NULL OR a.queue_name IS NULL
           OR a.queue_name NOT IN (SELECT name FROM partitioned))
    ORDER BY a.workflow_id
), met AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, config_name, queue_name, serialization, executor_id,
        application_version, application_name, application_id, authenticated_user, assumed_role,
        authenticated_roles, priority, deduplication_id, queue_partition_key, delay_until_epoch_ms,
        workflow_timeout_ms, workflow_deadline_epoch_ms, parent_workflow_id, attributes,
        recovery_attempts, creator_xid, owner_xid)
    SELECT workflow_id,
           CASE WHEN run_now THEN 'PENDING' WHEN delay_seconds IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END,
           name, class_name, config_name, queue_name, serialization, executor_id,
           app_version, application_name, application_id, authenticated_user, assumed_role,
           authenticated_roles, COALESCE(priority, 0), deduplication_id, queue_partition_key,
           now_ms + (delay_seconds * 1000)::bigint,
           timeout_ms, CASE WHEN run_now THEN COALESCE(deadline_ms, now_ms + timeout_ms) ELSE deadline_ms END,
           parent_workflow_id, attributes::jsonb,
           CASE WHEN run_now THEN 1 ELSE 0 END, creator, CASE WHEN run_now THEN owner END
    FROM allowed
    ON CONFLICT (workflow_uuid) DO UPDATE SET creator_xid = workflow_status.creator_xid
    RETURNING workflow_uuid, status, name, class_name, config_name, queue_name, creator_xid,
              workflow_deadline_epoch_ms
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT a.workflow_id, a.inputs
    FROM allowed a JOIN met m ON m.workflow_uuid = a.workflow_id AND m.creator_xid = a.creator
    ON CONFLICT (workflow_uuid) DO NOTHING
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, child_workflow_id,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT a.caller_id, a.function_id, a.name, a.workflow_id, a.started_at, a.started_at,
           %(application_name)s
    FROM allowed a JOIN met m ON m.workflow_uuid = a.workflow_id
    WHERE a.caller_id IS NOT NULL AND (m.creator_xid = a.creator OR a.reject IS NOT TRUE)
      AND m.name = a.name AND COALESCE(m.class_name, '') = COALESCE(a.class_name, '')
      AND COALESCE(m.config_name, '') = COALESCE(a.config_name, '')
    ON CONFLICT (workflow_uuid, function_id) DO NOTHING
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM met
          WHERE status = 'ENQUEUED' AND octet_length(queue_name) < 7900) q
)
SELECT m.workflow_uuid AS workflow_id, m.creator_xid AS creator, m.status, m.name, m.class_name,
       m.config_name, m.queue_name, m.workflow_deadline_epoch_ms AS deadline_ms, false AS is_keyless
FROM met m, told
UNION ALL
SELECT a.workflow_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true
FROM asked a WHERE a.queue_partition_key IS NULL AND a.queue_name IN (SELECT name FROM partitioned)
