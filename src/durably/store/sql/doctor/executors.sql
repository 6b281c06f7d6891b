-- Executors that have not ended, and of which versions there ever were some. Only durably's have leases. The table is
-- small. Locks: none.
SELECT e.executor_id, e.application_name, e.application_version AS app_version, true AS is_open,
       EXTRACT(epoch FROM clock_timestamp() - e.expires_at)::double precision AS expired_seconds
FROM {extension}.executors e
WHERE e.stopped_at IS NULL
UNION ALL
SELECT '', e.application_name, e.application_version, false, max(EXTRACT(epoch FROM clock_timestamp() - e.expires_at))
FROM {extension}.executors e
WHERE e.stopped_at IS NOT NULL
GROUP BY 2, 3
ORDER BY 1
