-- The starts that count against the rate limits of queues, up to `most` each: one queue's, or all.
-- Index: the primary key of queue_starts.
SELECT q.name, (
    SELECT count(*) FROM (
        SELECT 1 FROM {extension}.queue_starts t
        WHERE t.queue_name = q.name
          AND t.started_at_epoch_ms > EXTRACT(epoch FROM clock_timestamp()) * 1000 - q.rate_limit_period_sec * 1000
        LIMIT %(most)s) s) AS starts_in_period
FROM {schema}.queues q
WHERE q.rate_limit_max IS NOT NULL AND (%(name)s::text IS NULL OR q.name = %(name)s)
