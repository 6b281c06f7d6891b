-- Queues with their limits and pauses, by name; of one name, or all of an application and of none.
-- Index: queues' unique name, the primary key of queue_controls.
SELECT q.name, q.concurrency, q.worker_concurrency, q.rate_limit_max, q.rate_limit_period_sec,
       q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max,
       q.partition_rate_limit_period_sec, q.polling_interval_sec, q.application_name, q.created_at, q.updated_at,
       COALESCE((
           SELECT json_agg(json_build_object(
               'executor_id', NULLIF(c.executor_id, ''), 'reason', c.reason,
               'paused_at', (EXTRACT(epoch FROM c.paused_at) * 1000)::bigint) ORDER BY c.executor_id)::text
           FROM {extension}.queue_controls c WHERE c.queue_name = q.name), '[]') AS pauses
FROM {schema}.queues q
WHERE (%(name)s::text IS NULL OR q.name = %(name)s)
  AND (%(application_name)s::text IS NULL OR q.application_name = %(application_name)s
       OR q.application_name IS NULL)
ORDER BY q.name
