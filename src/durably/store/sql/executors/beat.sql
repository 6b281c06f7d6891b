-- Renews a lease that has not been closed, and tells which other executors are alive on this host. It reads leases
-- only, so what it costs does not depend on what runs; that is compared apart from it, by executors/compare.
-- No row 'beat': the executor was declared dead.
WITH renewed AS (
    UPDATE {extension}.executors
    SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => lease_seconds)
    WHERE executor_id = %(executor_id)s AND stopped_at IS NULL
    RETURNING executor_id
)
SELECT 'beat' AS kind, NULL AS id, NULL AS token, NULL::int AS pid,
       EXTRACT(epoch FROM clock_timestamp())::float8 AS database_now
FROM renewed
UNION ALL
SELECT 'neighbour', executor_id, process_start, pid, NULL
FROM {extension}.executors
WHERE application_name = %(application_name)s AND host = %(host)s AND stopped_at IS NULL
  AND executor_id <> %(executor_id)s
