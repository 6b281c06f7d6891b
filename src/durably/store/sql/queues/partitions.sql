-- The next partition keys with queued work behind `after`, in a circle, and which of them have room under their
-- limits, until `wanted` with room are found or `most` were looked at; none at all while the queue itself has no room.
-- A hint: claims count again under the queue's lock. A loose index scan: one look-up a key, however much each has
-- queued, and no look at those that no claim would come to. In the second lap what is behind `after` ends the walk.
-- Index: idx_workflow_status_partition_dequeue_v3. Locks: none.
WITH RECURSIVE queue AS MATERIALIZED (
    SELECT q.*, COALESCE(q.concurrency - (
        SELECT count(*) FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING'), 1) > 0 AS has_room
    FROM {schema}.queues q WHERE q.name = %(queue_name)s
), walk(key, lap, turn, has_room, roomy) AS (
    SELECT %(after)s::text, 1, 0, false, 0 FROM queue q WHERE q.has_room
    UNION ALL
    SELECT next.key, CASE WHEN w.lap = 2 OR next.key <= %(after)s THEN 2 ELSE 1 END, w.turn + 1, room.has_room,
           w.roomy + CASE WHEN room.has_room THEN 1 ELSE 0 END
    FROM walk w, LATERAL (
        SELECT COALESCE((
            SELECT s.queue_partition_key FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > w.key
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
            ORDER BY s.queue_partition_key LIMIT 1
        ), (
            SELECT s.queue_partition_key FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key > ''
              AND s.queue_partition_key <= %(after)s AND w.lap = 1
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
            ORDER BY s.queue_partition_key LIMIT 1
        )) AS key OFFSET 0
    ) next, LATERAL (
        SELECT COALESCE(LEAST(
            (SELECT q.partition_concurrency FROM queue q) - (
                SELECT count(*) FROM {schema}.workflow_status s
                WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING' AND s.queue_partition_key = next.key),
            (SELECT q.partition_rate_limit_max FROM queue q) - (
                SELECT count(*) FROM {extension}.queue_starts t, queue q
                WHERE t.queue_name = %(queue_name)s AND t.queue_partition_key = next.key
                  AND t.started_at_epoch_ms
                      > EXTRACT(epoch FROM clock_timestamp()) * 1000 - q.partition_rate_limit_period_sec * 1000)
            ) > 0, true) AS has_room OFFSET 0
    ) room
    WHERE w.turn < %(most)s AND w.roomy < %(wanted)s AND next.key IS NOT NULL
      AND (w.lap = 1 OR next.key <= %(after)s)
)
SELECT w.key, w.has_room FROM walk w WHERE w.turn > 0 ORDER BY w.turn
