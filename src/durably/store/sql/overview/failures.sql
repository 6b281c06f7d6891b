-- The newest workflows that failed and were created since an instant: names, and when each ended.
-- Index: idx_workflow_status_failed.
SELECT s.name, s.completed_at AS ended
FROM {schema}.workflow_status s
WHERE s.status = 'ERROR' AND s.created_at >= %(since)s::bigint
  AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
ORDER BY s.created_at DESC
LIMIT %(most)s::bigint
