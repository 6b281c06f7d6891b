-- Enters an executor with a fresh lease on the database's clock. Rows of executors that ended a day ago go,
-- and what steps had saved, and attempts were counted, of workflows that are gone or have ended.
WITH swept AS (
    DELETE FROM {extension}.executors WHERE stopped_at < clock_timestamp() - interval '1 day'
), left_over AS (
    DELETE FROM {extension}.step_progress p
    WHERE COALESCE((
        SELECT s.status FROM {schema}.workflow_status s WHERE s.workflow_uuid = p.workflow_uuid
    ), 'SUCCESS') IN ('SUCCESS', 'ERROR')
), attempts AS (
    DELETE FROM {extension}.workflow_attempts t
    WHERE COALESCE((
        SELECT s.status FROM {schema}.workflow_status s WHERE s.workflow_uuid = t.workflow_uuid
    ), 'SUCCESS') IN ('SUCCESS', 'ERROR')
), entered AS (
    INSERT INTO {extension}.executors (
        executor_id, application_name, application_version, host, pid, process_start,
        heartbeat_at, expires_at, lease_seconds)
    VALUES (%(executor_id)s, %(application_name)s, %(app_version)s, %(host)s, %(pid)s, %(process_start)s,
            clock_timestamp(), clock_timestamp() + make_interval(secs => %(lease_seconds)s), %(lease_seconds)s)
)
SELECT EXTRACT(epoch FROM clock_timestamp())::float8 AS database_now
