-- How many workflows there are of each status, up to `most` of each, and how many ended in the last `seconds`, up to
-- `most` in all. What succeeded has no index, so it is estimated: all rows by the planner's count, less the others.
-- Only DBOS's own tables. Index: idx_workflow_status_in_flight_v2, idx_workflow_status_pending,
-- idx_workflow_status_delayed, idx_workflow_status_failed, idx_workflow_status_completed_at.
WITH counted AS MATERIALIZED (
    SELECT 'ENQUEUED' AS status, (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'ENQUEUED' LIMIT %(most)s) w) AS workflows
    UNION ALL SELECT 'PENDING', (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'PENDING' LIMIT %(most)s) w)
    UNION ALL SELECT 'DELAYED', (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'DELAYED' LIMIT %(most)s) w)
    UNION ALL SELECT 'ERROR', (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'ERROR' LIMIT %(most)s) w)
    UNION ALL SELECT 'CANCELLED', (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'CANCELLED' LIMIT %(most)s) w)
    UNION ALL SELECT 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', (SELECT count(*) FROM (
        SELECT FROM {schema}.workflow_status WHERE status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' LIMIT %(most)s) w)
), ended AS MATERIALIZED (
    SELECT l.status, count(*) AS workflows
    FROM (SELECT s.status FROM {schema}.workflow_status s
          WHERE s.completed_at > ((EXTRACT(epoch FROM now()) - %(seconds)s::float8) * 1000)::bigint
          ORDER BY s.completed_at DESC LIMIT %(most)s) l
    GROUP BY 1
)
SELECT 'now' AS kind, c.status, c.workflows FROM counted c
UNION ALL
SELECT 'now', 'SUCCESS', GREATEST(
    (SELECT GREATEST(t.reltuples, 0)::bigint FROM pg_class t WHERE t.oid = '{schema}.workflow_status'::regclass)
        - (SELECT sum(c.workflows) FROM counted c),
    (SELECT e.workflows FROM ended e WHERE e.status = 'SUCCESS'), 0)
UNION ALL
SELECT 'ended', e.status, e.workflows FROM ended e
