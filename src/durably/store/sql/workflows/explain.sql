-- Everything that says why a workflow does not run, or what it does, as one JSON document. For one workflow, on demand.
-- Index: primary keys; idx_workflow_status_in_flight_v2, _partition_dequeue_v3, _parent_workflow_id. Locks: none.
WITH w AS MATERIALIZED (
    SELECT s.*, COALESCE(s.queue_name, '') AS on_queue FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = %(workflow_id)s
), q AS MATERIALIZED (
    SELECT q.* FROM {schema}.queues q WHERE q.name = (SELECT on_queue FROM w)
), clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), alive AS MATERIALIZED (
    SELECT e.executor_id, e.application_name, e.application_version
    FROM {extension}.executors e WHERE e.stopped_at IS NULL AND e.expires_at > clock_timestamp()
)
SELECT json_build_object(
    'workflow_id', w.workflow_uuid, 'status', w.status, 'queue_name', w.queue_name,
    'partition_key', w.queue_partition_key, 'app_version', w.application_version,
    'application_name', w.application_name, 'executor_id', w.executor_id, 'attempts', w.recovery_attempts,
    'delay_until_ms', w.delay_until_epoch_ms, 'now_ms', (SELECT now_ms FROM clock),
    'is_registered', (SELECT count(*) FROM q) > 0, 'queue_owner', (SELECT application_name FROM q),
    'concurrency', (SELECT concurrency FROM q), 'worker_concurrency', (SELECT worker_concurrency FROM q),
    'rate_limit_max', (SELECT rate_limit_max FROM q), 'rate_limit_period_sec', (SELECT rate_limit_period_sec FROM q),
    'partition_concurrency', (SELECT partition_concurrency FROM q),
    'partition_worker_concurrency', (SELECT partition_worker_concurrency FROM q),
    'partition_rate_limit_max', (SELECT partition_rate_limit_max FROM q),
    'partition_rate_limit_period_sec', (SELECT partition_rate_limit_period_sec FROM q),
    'running', (SELECT count(*) FROM {schema}.workflow_status s
                WHERE s.queue_name = w.on_queue AND s.status = 'PENDING'),
    'holders', ARRAY(SELECT s.workflow_uuid FROM {schema}.workflow_status s
                     WHERE s.queue_name = w.on_queue AND s.status = 'PENDING'
                     ORDER BY s.priority, s.created_at LIMIT 5),
    'partition_running', (SELECT count(*) FROM {schema}.workflow_status s
                          WHERE s.queue_name = w.on_queue AND s.status = 'PENDING'
                            AND s.queue_partition_key = w.queue_partition_key),
    'partition_holders', ARRAY(SELECT s.workflow_uuid FROM {schema}.workflow_status s
                               WHERE s.queue_name = w.on_queue AND s.status = 'PENDING'
                                 AND s.queue_partition_key = w.queue_partition_key LIMIT 5),
    'starts', (SELECT count(*) FROM {extension}.queue_starts t, q, clock
               WHERE t.queue_name = w.on_queue
                 AND t.started_at_epoch_ms > now_ms - q.rate_limit_period_sec * 1000),
    'partition_starts', (SELECT count(*) FROM {extension}.queue_starts t, q, clock
                         WHERE t.queue_name = w.on_queue AND t.queue_partition_key = w.queue_partition_key
                           AND t.started_at_epoch_ms > now_ms - q.partition_rate_limit_period_sec * 1000),
    'ahead', (SELECT count(*) FROM (
                  SELECT 1 FROM {schema}.workflow_status s
                  WHERE s.queue_name = w.on_queue AND s.status = 'ENQUEUED'
                    AND (s.priority, s.created_at) < (w.priority, w.created_at)
                  LIMIT 1000) behind),
    'is_paused', (SELECT count(*) FROM {extension}.queue_controls c
                  WHERE c.queue_name = w.on_queue AND c.executor_id = '') > 0,
    'pause_reason', (SELECT c.reason FROM {extension}.queue_controls c
                     WHERE c.queue_name = w.on_queue AND c.executor_id = ''),
    'queue_paused_by', (SELECT to_jsonb(c) ->> 'paused_by' FROM {extension}.queue_controls c
                        WHERE c.queue_name = w.on_queue AND c.executor_id = ''),
    'queue_paused_at_ms', (SELECT (EXTRACT(epoch FROM c.paused_at) * 1000)::bigint FROM {extension}.queue_controls c
                           WHERE c.queue_name = w.on_queue AND c.executor_id = ''),
    'paused_on', ARRAY(SELECT c.executor_id FROM {extension}.queue_controls c
                       WHERE c.queue_name = w.on_queue AND c.executor_id <> ''),
    'workers', ARRAY(SELECT a.executor_id FROM alive a
                     WHERE w.application_name IS NULL OR a.application_name = w.application_name),
    'versions', ARRAY(SELECT DISTINCT a.application_version FROM alive a
                      WHERE w.application_name IS NULL OR a.application_name = w.application_name),
    'latest_version', (SELECT v.version_name FROM {schema}.application_versions v
                       WHERE v.application_name = w.application_name OR v.application_name IS NULL
                       ORDER BY v.version_timestamp DESC LIMIT 1),
    'has_lease', (SELECT count(*) FROM {extension}.executors e WHERE e.executor_id = w.executor_id) > 0,
    'is_alive', (SELECT count(*) FROM alive a WHERE a.executor_id = w.executor_id) > 0,
    'stranded', (SELECT n.difference FROM {extension}.stranded_workflows n WHERE n.workflow_uuid = w.workflow_uuid),
    'paused_by', pause.paused_by, 'paused_at_ms', (EXTRACT(epoch FROM pause.paused_at) * 1000)::bigint,
    'paused_because', pause.reason,
    'children', ARRAY(SELECT s.workflow_uuid FROM {schema}.workflow_status s
                      WHERE s.parent_workflow_id = w.workflow_uuid
                        AND s.status IN ('ENQUEUED', 'DELAYED', 'PENDING') LIMIT 5),
    'failed_attempts', COALESCE(attempt.failed, 0), 'failed_with', left(attempt.error, 300),
    'last_id', last.function_id, 'last_name', last.function_name, 'last_output', last.output,
    'last_at_ms', COALESCE(last.completed_at_epoch_ms, last.started_at_epoch_ms), 'is_behind_gap', last.function_id > 1 AND (
        SELECT count(*) FROM {schema}.operation_outputs o
        WHERE o.workflow_uuid = w.workflow_uuid AND o.function_id = last.function_id - 1) = 0,
    'unread', ARRAY(SELECT DISTINCT COALESCE(n.topic, '') FROM {schema}.notifications n
                    WHERE n.destination_uuid = w.workflow_uuid AND NOT n.consumed LIMIT 5)
)::text AS facts
FROM w
LEFT JOIN {extension}.paused_workflows pause ON pause.workflow_uuid = w.workflow_uuid
LEFT JOIN {extension}.workflow_attempts attempt
       ON attempt.workflow_uuid = w.workflow_uuid AND attempt.creator_xid IS NOT DISTINCT FROM w.creator_xid
LEFT JOIN LATERAL (
    SELECT o.function_id, o.function_name, left(o.output, 100) AS output, o.started_at_epoch_ms, o.completed_at_epoch_ms
    FROM {schema}.operation_outputs o WHERE o.workflow_uuid = w.workflow_uuid
    ORDER BY o.function_id DESC LIMIT 1
) last ON true
