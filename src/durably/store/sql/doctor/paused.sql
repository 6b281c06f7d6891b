-- Queues that are paused, where (executor_id '': everywhere), and since when. Index: the primary key. Locks: none.
SELECT c.queue_name, c.executor_id, c.reason,
       EXTRACT(epoch FROM clock_timestamp() - c.paused_at)::double precision AS seconds
FROM {extension}.queue_controls c
ORDER BY c.queue_name, c.executor_id
