-- ENQUEUED -> PENDING on a queue whose limits executors share: as workflows/claim, but it counts first.
-- It runs behind queues/lock in one transaction: the queue's row is the lock under which our executors count,
-- and this statement's snapshot is taken after it. NOWAIT on the chosen rows is for DBOS executors, who take
-- no such lock: where their claim is under way ours gives up (55P03) and tries again.
-- Index: idx_workflow_status_in_flight_v2, idx_workflow_status_rate_limited; see workflows/claim.
WITH queue AS (
    SELECT * FROM {schema}.queues WHERE name = %(queue_name)s
), budget AS (
    SELECT GREATEST(0, LEAST(
        %(most)s,
        (SELECT q.concurrency FROM queue q) - (
            SELECT count(*) FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING'
             
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)),
        (SELECT q.rate_limit_max FROM queue q) - (
            SELECT count(*) FROM {schema}.workflow_status s, queue q
            WHERE s.queue_name = %(queue_name)s AND s.rate_limited
              AND s.status NOT IN ('ENQUEUED', 'DELAYED')
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
              AND s.started_at_epoch_ms > EXTRACT(epoch FROM now()) * 1000 - q.rate_limit_period_sec * 1000)
    )) AS places
), latest AS (
    SELECT COALESCE((
        SELECT version_name FROM {schema}.application_versions
        WHERE application_name = %(application_name)s OR application_name IS NULL
        ORDER BY version_timestamp DESC LIMIT 1) = %(app_version)s, true) AS is_latest
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
    FOR UPDATE OF s NOWAIT
), claimed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'PENDING', owner_xid = %(owner)s, executor_id = %(executor_id)s,
        application_version = %(app_version)s, application_name = %(application_name)s,
        started_at_epoch_ms = (EXTRACT(epoch FROM now()) * 1000)::bigint, rate_limited = COALESCE((SELECT rate_limit_max IS NOT NULL FROM queue), false),
        recovery_attempts = s.recovery_attempts + 1,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        workflow_deadline_epoch_ms = COALESCE(
            s.workflow_deadline_epoch_ms, (EXTRACT(epoch FROM now()) * 1000)::bigint + s.workflow_timeout_ms)
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
       c.authenticated_roles, c.attributes::text AS attributes, c.parent_workflow_id,
       EXISTS (SELECT FROM {schema}.operation_outputs p WHERE p.workflow_uuid = c.workflow_uuid)
           AS has_history
FROM claimed c
ORDER BY c.priority, c.created_at
