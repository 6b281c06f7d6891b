-- What runs, by executor. Index: idx_workflow_status_pending. Locks: none.
SELECT COALESCE(s.executor_id, '') AS executor_id, count(*) AS workflows, min(s.workflow_uuid) AS example
FROM {schema}.workflow_status s
WHERE s.status = 'PENDING'
GROUP BY 1
ORDER BY workflows DESC
LIMIT 1000
