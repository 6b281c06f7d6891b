-- What is on queues now, counts up to `most` (of what runs or is delayed: over all of them): on one queue, or on all that
-- are registered for an application or for none, and those that are not registered and hold work. DBOS's tables only.
-- The oldest is that of each priority's first, up to 100 priorities: the index is in that order.
-- Index: idx_workflow_status_in_flight_v2 (queues by a loose scan), idx_workflow_status_delayed,
-- idx_workflow_status_pending, idx_workflow_status_rate_limited.
WITH RECURSIVE clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), busy(name, turn) AS (
    SELECT first.name, 1
    FROM (SELECT s.queue_name AS name FROM {schema}.workflow_status s
          WHERE s.status IN ('ENQUEUED', 'PENDING') AND s.queue_name > '' AND %(name)s::text IS NULL
          ORDER BY s.queue_name LIMIT 1) first
    UNION ALL
    SELECT next.name, b.turn + 1
    FROM busy b, LATERAL (
        SELECT s.queue_name AS name FROM {schema}.workflow_status s
        WHERE s.status IN ('ENQUEUED', 'PENDING') AND s.queue_name > b.name
        ORDER BY s.queue_name LIMIT 1) next
    WHERE b.turn < 1000
), wanted AS MATERIALIZED (
    SELECT q.name, true AS is_registered, q.rate_limit_max, q.rate_limit_period_sec
    FROM {schema}.queues q
    WHERE (%(name)s::text IS NULL OR q.name = %(name)s)
      AND (%(application_name)s::text IS NULL OR q.application_name = %(application_name)s
           OR q.application_name IS NULL)
    UNION ALL
    SELECT n.name, false, NULL, NULL
    FROM (SELECT b.name FROM busy b UNION SELECT %(name)s::text WHERE %(name)s::text IS NOT NULL) n
    WHERE NOT EXISTS (SELECT FROM {schema}.queues q WHERE q.name = n.name)
), delayed AS MATERIALIZED (
    SELECT d.queue_name, count(*) AS workflows
    FROM (SELECT s.queue_name FROM {schema}.workflow_status s
          WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms > 0
          ORDER BY s.delay_until_epoch_ms LIMIT %(most)s) d
    GROUP BY 1
), running AS MATERIALIZED (
    SELECT p.queue_name, json_object_agg(p.executor_id, p.workflows)::text AS running_on
    FROM (SELECT o.queue_name, o.executor_id, count(*) AS workflows
          FROM (SELECT s.queue_name, COALESCE(s.executor_id, '') AS executor_id FROM {schema}.workflow_status s
                WHERE s.status = 'PENDING' AND (%(name)s::text IS NULL OR s.queue_name = %(name)s)
                ORDER BY s.created_at LIMIT %(most)s) o
          GROUP BY 1, 2) p
    GROUP BY 1
)
SELECT w.name, w.is_registered, (SELECT now_ms FROM clock) AS measured_at,
       (SELECT count(*) FROM (
            SELECT 1 FROM {schema}.workflow_status s
            WHERE s.queue_name = w.name AND s.status = 'ENQUEUED' LIMIT %(most)s) e) AS enqueued,
       COALESCE((SELECT d.workflows FROM delayed d WHERE d.queue_name = w.name), 0) AS delayed,
       (SELECT min(l.created_at) FROM (
            WITH RECURSIVE levels(priority, created_at, turn) AS (
                SELECT f.priority, f.created_at, 1
                FROM (SELECT s.priority, s.created_at FROM {schema}.workflow_status s
                      WHERE s.queue_name = w.name AND s.status = 'ENQUEUED'
                      ORDER BY s.priority, s.created_at LIMIT 1) f
                UNION ALL
                SELECT n.priority, n.created_at, v.turn + 1
                FROM levels v, LATERAL (
                    SELECT s.priority, s.created_at FROM {schema}.workflow_status s
                    WHERE s.queue_name = w.name AND s.status = 'ENQUEUED' AND s.priority > v.priority
                    ORDER BY s.priority, s.created_at LIMIT 1) n
                WHERE v.turn < 100
            ) SELECT created_at FROM levels) l) AS oldest_enqueued_at,
       COALESCE((SELECT r.running_on FROM running r WHERE r.queue_name = w.name), '{}') AS running_on,
       CASE WHEN w.rate_limit_max IS NOT NULL THEN (
           SELECT count(*) FROM (
               SELECT 1 FROM {schema}.workflow_status s
               WHERE s.queue_name = w.name AND s.rate_limited = true
                 AND s.started_at_epoch_ms > (SELECT now_ms FROM clock) - w.rate_limit_period_sec * 1000
               LIMIT %(most)s) t)
       END AS starts_in_period
FROM wanted w
ORDER BY w.name
