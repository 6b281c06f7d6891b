-- What is queued, by who could run it. Index: idx_workflow_status_in_flight_v2. Locks: none.
SELECT s.queue_name, s.application_name, s.application_version AS app_version, count(*) AS workflows,
       (EXTRACT(epoch FROM clock_timestamp()) - min(s.created_at) / 1000.0)::double precision AS oldest_seconds,
       min(s.workflow_uuid) AS example,
       EXISTS (SELECT FROM {schema}.queues q WHERE q.name = s.queue_name) AS is_registered
FROM {schema}.workflow_status s
WHERE s.status = 'ENQUEUED'
GROUP BY 1, 2, 3
ORDER BY workflows DESC
LIMIT 500
