-- The state of everything in figures, each counted to `most`. To be planned for its very values.
-- Index: idx_workflow_status_in_flight_v2, _pending, _delayed, _failed.
WITH waiting AS MATERIALIZED (
    SELECT s.created_at FROM {schema}.workflow_status s
    WHERE s.status = 'ENQUEUED'
      AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    LIMIT %(most)s::bigint
)
SELECT (EXTRACT(epoch FROM now()) * 1000)::bigint AS now,
       (SELECT count(*) FROM waiting) AS enqueued,
       (SELECT min(w.created_at) FROM waiting w) AS oldest_enqueued_at,
       (SELECT count(*) FROM (
           SELECT FROM {schema}.workflow_status s
           WHERE s.status = 'PENDING'
             AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
           LIMIT %(most)s::bigint) counted) AS pending,
       (SELECT count(*) FROM (
           SELECT FROM {schema}.workflow_status s
           WHERE s.status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'
             AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
           LIMIT %(most)s::bigint) counted) AS dead_letters,
       (SELECT count(*) FROM (
           SELECT FROM {schema}.workflow_status s
           WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms = %(stranded_until)s::bigint
             AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
           LIMIT %(most)s::bigint) counted) AS stranded,
       (SELECT count(*) FROM (
           SELECT FROM {schema}.workflow_status s
           WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms = %(paused_until)s::bigint
             AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
           LIMIT %(most)s::bigint) counted) AS paused
