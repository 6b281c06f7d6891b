-- Where queues are paused, and by whom where the table knows it (its column came later): one queue, or all.
-- Index: the primary key of queue_controls.
SELECT c.queue_name AS name, NULLIF(c.executor_id, '') AS executor_id, c.reason, to_jsonb(c) ->> 'paused_by' AS paused_by,
       (EXTRACT(epoch FROM c.paused_at) * 1000)::bigint AS paused_at
FROM {extension}.queue_controls c
WHERE %(name)s::text IS NULL OR c.queue_name = %(name)s
ORDER BY c.queue_name, c.executor_id
