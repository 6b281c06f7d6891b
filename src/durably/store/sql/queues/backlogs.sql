-- Partitions of a queue with work that waits, those with the most first: of the first `keys` of them in order of their
-- keys, each counted up to `most`. A loose scan. Index: idx_workflow_status_partition_dequeue_v3.
WITH RECURSIVE walk(key, turn) AS (
    SELECT first.key, 1
    FROM (SELECT s.queue_partition_key AS key FROM {schema}.workflow_status s
          WHERE s.queue_name = %(name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key IS NOT NULL
          ORDER BY s.queue_partition_key LIMIT 1) first
    UNION ALL
    SELECT next.key, w.turn + 1
    FROM walk w, LATERAL (
        SELECT s.queue_partition_key AS key FROM {schema}.workflow_status s
        WHERE s.queue_name = %(name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > w.key
        ORDER BY s.queue_partition_key LIMIT 1) next
    WHERE w.turn < %(keys)s
)
SELECT w.key,
       (SELECT count(*) FROM (
            SELECT 1 FROM {schema}.workflow_status s
            WHERE s.queue_name = %(name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key = w.key
            LIMIT %(most)s) e) AS enqueued,
       (SELECT count(*) FROM (
            SELECT 1 FROM {schema}.workflow_status s
            WHERE s.queue_name = %(name)s AND s.status = 'PENDING' AND s.queue_partition_key = w.key
            LIMIT %(most)s) p) AS running,
       (SELECT s.created_at FROM {schema}.workflow_status s
        WHERE s.queue_name = %(name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key = w.key
        ORDER BY s.priority, s.created_at LIMIT 1) AS next_enqueued_at
FROM walk w
ORDER BY enqueued DESC, w.key
