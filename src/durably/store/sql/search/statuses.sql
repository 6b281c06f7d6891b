-- How many workflows there are of each status, each counted to `most`; of those that succeeded, for which there is no
-- index, those among the newest `window`. To be planned for its very values.
-- Index: idx_workflow_status_in_flight_v2, _pending, _delayed, _failed; workflow_status_created_at_index.
SELECT 'ENQUEUED' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'ENQUEUED' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'PENDING' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'PENDING' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'DELAYED' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'DELAYED' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'ERROR' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'ERROR' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'CANCELLED' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'CANCELLED' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' AS status, count(*) AS workflows FROM (
    SELECT FROM {schema}.workflow_status s
    WHERE s.status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
UNION ALL
SELECT 'SUCCESS', count(*) FROM (
    SELECT FROM (
        SELECT s.status, s.application_name FROM {schema}.workflow_status s
        ORDER BY s.created_at DESC LIMIT %(window)s::bigint) s
    WHERE s.status = 'SUCCESS' AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint) s
