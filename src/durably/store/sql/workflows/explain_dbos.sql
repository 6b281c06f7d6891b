-- workflows/explain of a database that only DBOS has used: what its tables tell. Leases, pauses and the reasons of
-- durably's own are not among it; 'workers' are the executors that run something of the queue.
-- Index: primary keys; idx_workflow_status_in_flight_v2, _partition_dequeue_v3, _rate_limited, _parent_workflow_id.
WITH w AS MATERIALIZED (
    SELECT s.*, COALESCE(s.queue_name, '') AS on_queue FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = %(workflow_id)s
), q AS MATERIALIZED (
    SELECT q.* FROM {schema}.queues q WHERE q.name = (SELECT on_queue FROM w)
), clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
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
    'starts', (SELECT count(*) FROM {schema}.workflow_status s, q, clock
                WHERE s.queue_name = w.on_queue AND s.rate_limited
                 AND s.status NOT IN ('ENQUEUED', 'DELAYED')
                 AND s.started_at_epoch_ms > now_ms - q.rate_limit_period_sec * 1000),
    'partition_starts', (SELECT count(*) FROM {schema}.workflow_status s, q, clock
                WHERE s.queue_name = w.on_queue AND s.queue_partition_key = w.queue_partition_key AND s.rate_limited
                 AND s.status NOT IN ('ENQUEUED', 'DELAYED')
                 AND s.started_at_epoch_ms > now_ms - q.partition_rate_limit_period_sec * 1000),
    'ahead', (SELECT count(*) FROM (
                  SELECT 1 FROM {schema}.workflow_status s
                  WHERE s.queue_name = w.on_queue AND s.status = 'ENQUEUED'
                    AND (s.priority, s.created_at) < (w.priority, w.created_at)
                  LIMIT 1000) behind),
    'workers', ARRAY(SELECT DISTINCT s.executor_id FROM {schema}.workflow_status s
                     WHERE s.queue_name = w.on_queue AND s.status = 'PENDING' AND s.executor_id IS NOT NULL),
    'latest_version', (SELECT v.version_name FROM {schema}.application_versions v
                       WHERE v.application_name = w.application_name OR v.application_name IS NULL
                       ORDER BY v.version_timestamp DESC LIMIT 1),
    'is_pure', true,
    'children', ARRAY(SELECT s.workflow_uuid FROM {schema}.workflow_status s
                      WHERE s.parent_workflow_id = w.workflow_uuid
                        AND s.status IN ('ENQUEUED', 'DELAYED', 'PENDING') LIMIT 5),
    'last_id', last.function_id, 'last_name', last.function_name, 'last_output', last.output,
    'last_at_ms', COALESCE(last.completed_at_epoch_ms, last.started_at_epoch_ms), 'is_behind_gap', last.function_id > 1 AND (
        SELECT count(*) FROM {schema}.operation_outputs o
        WHERE o.workflow_uuid = w.workflow_uuid AND o.function_id = last.function_id - 1) = 0,
    'unread', ARRAY(SELECT DISTINCT COALESCE(n.topic, '') FROM {schema}.notifications n
                    WHERE n.destination_uuid = w.workflow_uuid AND NOT n.consumed LIMIT 5)
)::text AS facts
FROM w
LEFT JOIN LATERAL (
    SELECT o.function_id, o.function_name, left(o.output, 100) AS output, o.started_at_epoch_ms, o.completed_at_epoch_ms
    FROM {schema}.operation_outputs o WHERE o.workflow_uuid = w.workflow_uuid
    ORDER BY o.function_id DESC LIMIT 1
) last ON true
