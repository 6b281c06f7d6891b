-- ENQUEUED -> PENDING: takes up to `most` workflows of a queue without shared limits, most urgent first.
-- Nothing of a queue that has such limits by now: its new row is seen at the next pulse; nothing of a paused one.
-- Takes only names, formats and versions that this executor can run; what it cannot stays for one that can.
-- Locks: the chosen rows, SKIP LOCKED, so that executors never wait for each other.
-- Index: idx_workflow_status_in_flight_v2, in its own order and only up to the limit, whatever the backlog. Two
-- things keep the planner on it: `status` is compared with one literal (a list would cost the order), and what
-- this executor can run is one CASE, whose share it takes for a half (separate conditions look so selective
-- that it sorts the whole backlog instead).
-- Attempts and timeouts that nobody would write overflow nothing: one such row would block its queue.
WITH latest AS (
    SELECT COALESCE((
        SELECT version_name FROM {schema}.application_versions
        WHERE application_name = %(application_name)s OR application_name IS NULL
        ORDER BY version_timestamp DESC LIMIT 1) = %(app_version)s, true) AS is_latest
), queue AS (
    SELECT q.worker_concurrency, COALESCE(
        q.concurrency, q.rate_limit_max,
        q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max) IS NOT NULL AS is_limited
    FROM {schema}.queues q WHERE q.name = %(queue_name)s
), budget AS (
    SELECT CASE WHEN (SELECT is_limited FROM queue) OR EXISTS (
        SELECT FROM {extension}.queue_controls c
        WHERE c.queue_name = %(queue_name)s AND c.executor_id IN ('', %(executor_id)s)) THEN 0
        ELSE GREATEST(0, LEAST(%(most)s, (SELECT worker_concurrency FROM queue) - %(running)s)) END AS places
), chosen AS MATERIALIZED (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED'
      AND CASE WHEN
              (s.application_version = %(app_version)s
               OR (s.application_version IS NULL AND (SELECT is_latest FROM latest)))
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
              AND s.name || chr(31) || COALESCE(s.class_name, '') || chr(31) || COALESCE(s.config_name, '')
                  = ANY (%(runnable)s::text[])
              AND (s.serialization IS NULL OR s.serialization = ANY (%(formats)s::text[]))
              AND s.workflow_uuid NOT IN (
                  SELECT workflow_uuid FROM {extension}.stranded_workflows
                  WHERE application_name = %(application_name)s AND released_at IS NOT NULL
                    AND %(code)s::text = ANY (met))
          THEN true ELSE false END
    ORDER BY s.priority, s.created_at
    LIMIT (SELECT places FROM budget)
    FOR UPDATE OF s SKIP LOCKED
), claimed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'PENDING', owner_xid = %(owner)s, executor_id = %(executor_id)s,
        application_version = %(app_version)s, application_name = %(application_name)s,
        started_at_epoch_ms = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        rate_limited = false,
        recovery_attempts = LEAST(COALESCE(s.recovery_attempts, 0), 1000000000) + 1,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        workflow_deadline_epoch_ms = COALESCE(
            s.workflow_deadline_epoch_ms, (EXTRACT(epoch FROM now()) * 1000)::bigint
            + CASE WHEN s.workflow_timeout_ms < 1000000000000000 THEN s.workflow_timeout_ms END)
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM chosen)) AND (s.status = 'ENQUEUED') IS TRUE
    RETURNING s.*
)
SELECT c.workflow_uuid AS workflow_id, c.name, c.class_name, c.config_name, c.queue_name, c.serialization,
       COALESCE((SELECT i.inputs FROM {schema}.workflow_input i WHERE i.workflow_uuid = c.workflow_uuid),
                c.inputs) AS inputs,
       c.recovery_attempts,
       (SELECT l.max_recovery_attempts FROM {extension}.workflow_limits l
        WHERE l.workflow_uuid = c.workflow_uuid) AS max_recovery_attempts,
       c.workflow_deadline_epoch_ms AS deadline_ms, c.authenticated_user, c.assumed_role,
       c.authenticated_roles, c.attributes::text AS attributes, c.parent_workflow_id, c.queue_partition_key,
       EXISTS (SELECT FROM {schema}.operation_outputs p WHERE p.workflow_uuid = c.workflow_uuid)
           AS has_history,
       COALESCE((SELECT t.failed FROM {extension}.workflow_attempts t
                 WHERE t.workflow_uuid = c.workflow_uuid AND t.creator_xid IS NOT DISTINCT FROM c.creator_xid), 0)
           AS failed_attempts,
       CASE WHEN c.recovery_attempts = 1 THEN GREATEST(0, c.started_at_epoch_ms
           - GREATEST(c.created_at, c.delay_until_epoch_ms)::float8) / 1000 END AS waited
FROM claimed c
ORDER BY c.priority, c.created_at
