-- The next partition keys with queued work behind `after`, in a circle, and which of them have room under their
-- limits; none at all while the queue itself has none. A hint: claims count again under the queue's lock.
-- A loose index scan: one look-up a key, however much each has queued.
-- Index: idx_workflow_status_partition_dequeue_v3. Locks: none.
WITH RECURSIVE queue AS MATERIALIZED (
    SELECT q.*, COALESCE(q.concurrency - (
        SELECT count(*) FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING'), 1) > 0 AS has_room
    FROM {schema}.queues q WHERE q.name = %(queue_name)s
), behind(key, turn) AS (
    SELECT first.key, 1
    FROM (
        SELECT s.queue_partition_key AS key
        FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > %(after)s
          AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
          AND (SELECT has_room FROM queue)
        ORDER BY s.queue_partition_key LIMIT 1
    ) first
    UNION ALL
    SELECT next.key, w.turn + 1
    FROM behind w, LATERAL (
        SELECT s.queue_partition_key AS key
        FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > w.key
          AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
        ORDER BY s.queue_partition_key LIMIT 1
    ) next
    WHERE w.turn < %(most)s
), before(key, turn) AS (
    SELECT first.key, %(most)s + 1
    FROM (
        SELECT s.queue_partition_key AS key
        FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > ''
          AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
          AND (SELECT has_room FROM queue) AND (SELECT count(*) FROM behind) < %(most)s
        ORDER BY s.queue_partition_key LIMIT 1
    ) first
    WHERE first.key <= %(after)s
    UNION ALL
    SELECT next.key, w.turn + 1
    FROM before w, LATERAL (
        SELECT s.queue_partition_key AS key
        FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > w.key
          AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
        ORDER BY s.queue_partition_key LIMIT 1
    ) next
    WHERE w.turn < 2 * %(most)s AND next.key <= %(after)s
), walk AS MATERIALIZED (
    SELECT key, turn FROM behind UNION ALL SELECT key, turn FROM before ORDER BY turn LIMIT %(most)s
)
SELECT w.key, COALESCE(LEAST(
    (SELECT q.partition_concurrency FROM queue q) - (
        SELECT count(*) FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING' AND s.queue_partition_key = w.key),
    (SELECT q.partition_rate_limit_max FROM queue q) - (
        SELECT count(*) FROM {extension}.queue_starts t, queue q
        WHERE t.queue_name = %(queue_name)s AND t.queue_partition_key = w.key
          AND t.started_at_epoch_ms
              > EXTRACT(epoch FROM clock_timestamp()) * 1000 - q.partition_rate_limit_period_sec * 1000)
    ) > 0, true) AS has_room
FROM walk w
ORDER BY w.turn
