-- Starts and ends by queue and minute, over the last hour: minute 59 is the present one. Of a minute in which more than
-- `most` workflows started (or ended) the first ones are taken, and its figures stand for the whole minute.
-- Index: idx_workflow_status_started_at, idx_workflow_status_completed_at, `most` entries a minute at most.
WITH clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), minutes AS MATERIALIZED (
    SELECT g.minute, (c.now_ms / 60000 - 59 + g.minute) * 60000 AS begins,
           LEAST((c.now_ms / 60000 - 58 + g.minute) * 60000, c.now_ms + 1) AS ends
    FROM clock c, generate_series(0, 59) g(minute)
), starts AS (
    SELECT m.minute, m.begins, m.ends, r.queue_name, r.at
    FROM minutes m, LATERAL (
        SELECT s.queue_name, s.started_at_epoch_ms AS at FROM {schema}.workflow_status s
        WHERE s.started_at_epoch_ms >= m.begins AND s.started_at_epoch_ms < m.ends
        ORDER BY s.started_at_epoch_ms LIMIT %(most)s) r
), finishes AS (
    SELECT m.minute, m.begins, m.ends, r.queue_name, r.at
    FROM minutes m, LATERAL (
        SELECT s.queue_name, s.completed_at AS at FROM {schema}.workflow_status s
        WHERE s.completed_at >= m.begins AND s.completed_at < m.ends
        ORDER BY s.completed_at LIMIT %(most)s) r
), events AS (
    SELECT 'start' AS kind, starts.* FROM starts UNION ALL SELECT 'finish', finishes.* FROM finishes
), counted AS MATERIALIZED (
    SELECT e.kind, e.minute, e.begins, e.ends, e.queue_name COLLATE "C" AS name, count(*) AS workflows,
           max(e.at) AS last
    FROM events e GROUP BY 1, 2, 3, 4, 5
), shares AS MATERIALIZED (
    SELECT c.kind, c.minute, CASE WHEN sum(c.workflows) < %(most)s THEN 1.0
           ELSE GREATEST(1.0, (min(c.ends) - min(c.begins))::float8 / (max(c.last) - min(c.begins) + 1)) END AS factor
    FROM counted c GROUP BY 1, 2
)
SELECT c.name, c.kind, c.minute, round(c.workflows * s.factor)::bigint AS workflows, s.factor > 1 AS is_estimate
FROM counted c JOIN shares s ON s.kind = c.kind AND s.minute = c.minute
WHERE c.name IS NOT NULL AND (%(name)s::text IS NULL OR c.name = %(name)s)
