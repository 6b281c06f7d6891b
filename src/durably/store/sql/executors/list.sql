-- Executors that have, or had, a lease, those that run first. The table is small: retention removes ended ones after a day.
SELECT e.executor_id, e.application_name, e.application_version AS app_version, e.host, e.pid,
       (EXTRACT(epoch FROM e.started_at) * 1000)::bigint AS started_at,
       (EXTRACT(epoch FROM e.heartbeat_at) * 1000)::bigint AS heartbeat_at,
       (EXTRACT(epoch FROM e.expires_at) * 1000)::bigint AS expires_at,
       (EXTRACT(epoch FROM e.stopped_at) * 1000)::bigint AS stopped_at,
       CASE WHEN e.stopped_at IS NOT NULL THEN 'closed' WHEN e.expires_at < clock_timestamp() THEN 'expired'
            ELSE 'alive' END AS state
FROM {extension}.executors e
WHERE %(application_name)s::text IS NULL OR e.application_name = %(application_name)s
ORDER BY e.stopped_at IS NOT NULL, e.application_name, e.started_at DESC, e.executor_id
