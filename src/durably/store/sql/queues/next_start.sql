-- Seconds until a start leaves the window of a queue's rate limit, or of one of its partitions; NULL when none is in.
-- Index: the primary key of queue_starts, idx_workflow_status_rate_limited. Locks: none.
WITH queue AS MATERIALIZED (
    SELECT q.* FROM {schema}.queues q WHERE q.name = %(queue_name)s
), clock AS MATERIALIZED (
    SELECT EXTRACT(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms
), windows AS MATERIALIZED (
    SELECT rate_limit_max AS starts, rate_limit_period_sec * 1000 AS period_ms FROM queue WHERE rate_limit_max IS NOT NULL
    UNION ALL
    SELECT 1, partition_rate_limit_period_sec * 1000 FROM queue WHERE partition_rate_limit_max IS NOT NULL
)
SELECT min(next.seconds) AS seconds
FROM windows w, clock, LATERAL (
    SELECT (started.at + w.period_ms - clock.now_ms) / 1000 AS seconds
    FROM (
        SELECT t.started_at_epoch_ms AS at FROM {extension}.queue_starts t
        WHERE t.queue_name = %(queue_name)s AND t.started_at_epoch_ms > clock.now_ms - w.period_ms
        UNION ALL
        SELECT s.started_at_epoch_ms FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.rate_limited AND s.status NOT IN ('ENQUEUED', 'DELAYED')
          AND s.started_at_epoch_ms > clock.now_ms - w.period_ms
          AND (SELECT count(*) FROM {extension}.queue_starts t
               WHERE t.queue_name = %(queue_name)s AND t.started_at_epoch_ms = s.started_at_epoch_ms
                 AND t.workflow_uuid = s.workflow_uuid) = 0
    ) started
    ORDER BY started.at LIMIT 1 OFFSET 0
) next
