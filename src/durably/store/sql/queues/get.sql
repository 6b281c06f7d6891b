-- Queues with their limits, by name; of one name, or all of an application and of none. Index: queues' unique name.
SELECT q.name, q.concurrency, q.worker_concurrency, q.rate_limit_max, q.rate_limit_period_sec,
       q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max,
       q.partition_rate_limit_period_sec, q.polling_interval_sec, q.application_name, q.created_at, q.updated_at
FROM {schema}.queues q
WHERE (%(name)s::text IS NULL OR q.name = %(name)s)
  AND (%(application_name)s::text IS NULL OR q.application_name = %(application_name)s
       OR q.application_name IS NULL)
ORDER BY q.name
