-- Pauses a queue everywhere (executor_id '') or on one executor: what is paused is known, and who is.
-- Locks: the queue's row, so that a claim under its lock comes before the pause or sees it.
WITH known AS MATERIALIZED (
    SELECT q.name FROM {schema}.queues q WHERE q.name = %(name)s FOR UPDATE
), executor AS (
    SELECT e.executor_id FROM {extension}.executors e
    WHERE e.executor_id = %(executor_id)s AND e.stopped_at IS NULL
), paused AS (
    INSERT INTO {extension}.queue_controls (queue_name, executor_id, reason)
    SELECT k.name, %(executor_id)s, %(reason)s FROM known k
    WHERE %(executor_id)s = '' OR EXISTS (SELECT FROM executor)
    ON CONFLICT (queue_name, executor_id) DO UPDATE SET reason = EXCLUDED.reason
    RETURNING queue_name
)
SELECT (SELECT count(*) FROM known) > 0 AS is_queue,
       (SELECT count(*) FROM executor) > 0 OR %(executor_id)s = '' AS is_executor,
       (SELECT count(*) FROM paused) AS paused
