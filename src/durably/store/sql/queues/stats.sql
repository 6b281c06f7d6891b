-- What is on queues now: on one, or on all that are registered for an application or for none.
-- Index: idx_workflow_status_in_flight_v2, idx_workflow_status_delayed, idx_workflow_status_rate_limited.
WITH delayed AS MATERIALIZED (
    SELECT s.queue_name, count(*) AS workflows
    FROM {schema}.workflow_status s
    WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms > 0
    GROUP BY 1
)
SELECT q.name, queued.workflows AS enqueued, queued.oldest AS oldest_enqueued_at,
       COALESCE((SELECT d.workflows FROM delayed d WHERE d.queue_name = q.name), 0) AS delayed,
       COALESCE((
           SELECT json_object_agg(r.executor_id, r.workflows)::text
           FROM (SELECT COALESCE(s.executor_id, '') AS executor_id, count(*) AS workflows
                 FROM {schema}.workflow_status s WHERE s.queue_name = q.name AND s.status = 'PENDING'
                 GROUP BY 1) r), '{}') AS running_on,
       CASE WHEN q.rate_limit_max IS NOT NULL THEN (
           SELECT count(*) FROM {schema}.workflow_status s
           WHERE s.queue_name = q.name AND s.rate_limited = true
             AND s.started_at_epoch_ms
                 > EXTRACT(epoch FROM clock_timestamp()) * 1000 - q.rate_limit_period_sec * 1000)
       END AS starts_in_period
FROM {schema}.queues q, LATERAL (
    SELECT count(*) AS workflows, min(s.created_at) AS oldest
    FROM {schema}.workflow_status s
    WHERE s.queue_name = q.name AND s.status = 'ENQUEUED' OFFSET 0
) queued
WHERE (%(name)s::text IS NULL OR q.name = %(name)s)
  AND (%(application_name)s::text IS NULL OR q.application_name = %(application_name)s
       OR q.application_name IS NULL)
ORDER BY q.name
