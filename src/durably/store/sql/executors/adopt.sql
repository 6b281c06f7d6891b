-- PENDING -> ENQUEUED for the work of executors of ours whose lease is closed. Rows of executors without a
-- lease belong to DBOS processes and are never touched. Index: idx_workflow_status_pending.
-- Where one of them was tried by itself (executors/try), the death counts as an attempt of that one alone; and
-- as the recovery that would follow, where its owner token was said too: then it has none left.
WITH adopted AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,
        queue_name = COALESCE(s.queue_name, '_dbos_internal_queue'),
        recovery_attempts = s.recovery_attempts
            + CASE WHEN e.on_trial = s.owner_xid || ':' || s.workflow_uuid THEN 1
                   WHEN s.recovery_attempts > 1 AND e.on_trial <> s.workflow_uuid THEN -1 ELSE 0 END,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM {extension}.executors e
    WHERE s.status = 'PENDING' AND s.executor_id = e.executor_id AND e.stopped_at IS NOT NULL
      AND e.application_name = %(application_name)s
    RETURNING s.queue_name
)
SELECT queue_name, CASE WHEN octet_length(queue_name) < 7900 THEN pg_notify('durably', 'q::' || queue_name) END
FROM (SELECT DISTINCT queue_name FROM adopted) q
