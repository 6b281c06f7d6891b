-- What is known of the attempts of a workflow: how many may die, how often its `retry` has tried it again, and the
-- executor that has it, or had it last. Index: primary keys.
SELECT l.max_recovery_attempts, COALESCE(a.failed, 0) AS failed, left(a.error, %(most)s::int) AS error,
       octet_length(a.error) AS error_size, w.serialization,
       (EXTRACT(epoch FROM a.failed_at) * 1000)::bigint AS failed_at_epoch_ms,
       w.executor_id, e.host, e.pid, e.application_version AS app_version,
       (EXTRACT(epoch FROM e.started_at) * 1000)::bigint AS started_at_epoch_ms,
       (EXTRACT(epoch FROM e.heartbeat_at) * 1000)::bigint AS heartbeat_at_epoch_ms,
       (EXTRACT(epoch FROM e.stopped_at) * 1000)::bigint AS stopped_at_epoch_ms,
       COALESCE(e.stopped_at IS NULL AND e.expires_at > clock_timestamp(), false) AS is_alive,
       COALESCE(e.on_trial = w.workflow_uuid, false) AS is_tried_alone
FROM {schema}.workflow_status w
LEFT JOIN {extension}.workflow_limits l ON l.workflow_uuid = w.workflow_uuid
LEFT JOIN {extension}.workflow_attempts a
    ON a.workflow_uuid = w.workflow_uuid AND a.creator_xid IS NOT DISTINCT FROM w.creator_xid
LEFT JOIN {extension}.executors e ON e.executor_id = w.executor_id
WHERE w.workflow_uuid = %(workflow_id)s::text
