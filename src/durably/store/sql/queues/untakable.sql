-- The first workflow, of the first 1,000 of a queue, that an executor cannot run, as workflows/claim decides it; no row:
-- it can run them all, so what it did not get others were quicker to take. Those that are stranded tell it themselves.
-- Index: idx_workflow_status_in_flight_v2. Locks: none.
WITH latest AS MATERIALIZED (
    SELECT COALESCE((
        SELECT version_name FROM {schema}.application_versions
        WHERE application_name = %(application_name)s OR application_name IS NULL
        ORDER BY version_timestamp DESC LIMIT 1) = %(app_version)s, true) AS is_latest
), first AS MATERIALIZED (
    SELECT s.workflow_uuid, s.name, s.class_name, s.config_name, s.application_version, s.serialization
    FROM {schema}.workflow_status s
    WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED'
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
    ORDER BY s.priority, s.created_at LIMIT 1000
)
SELECT f.workflow_uuid AS workflow_id, f.name, f.application_version AS app_version, f.serialization
FROM first f
WHERE NOT COALESCE(
    (f.application_version = %(app_version)s
     OR (f.application_version IS NULL AND (SELECT is_latest FROM latest)))
    AND f.name || chr(31) || COALESCE(f.class_name, '') || chr(31) || COALESCE(f.config_name, '')
        = ANY (%(runnable)s::text[])
    AND (f.serialization IS NULL OR f.serialization = ANY (%(formats)s::text[])), false)
LIMIT 1
