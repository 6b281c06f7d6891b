-- What runs, by executor and queue: of the `most` workflows that have been under way longest.
-- Index: idx_workflow_status_pending, in its own order and up to the limit.
SELECT r.executor_id, r.queue_name, max(r.application_name) AS application_name,
       max(r.application_version) AS app_version, count(*)::int AS running
FROM (
    SELECT COALESCE(s.executor_id, '') AS executor_id, s.queue_name, s.application_name, s.application_version
    FROM {schema}.workflow_status s
    WHERE s.status = 'PENDING'
      AND (%(application_name)s::text IS NULL OR s.application_name = %(application_name)s)
    ORDER BY s.created_at LIMIT %(most)s
) r
GROUP BY r.executor_id, r.queue_name
ORDER BY r.executor_id, r.queue_name
