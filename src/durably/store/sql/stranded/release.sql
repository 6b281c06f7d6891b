-- DELAYED -> ENQUEUED for stranded workflows that this executor may run and whose record its code has not met; a claim
-- leaves them to executors of such code, so that they are tried once by each code. Notes, too, that this code is here.
-- Rows of workflows that have ended meanwhile go, and what is noted of pauses that are over (of the oldest 1,000 notes),
-- for DBOS's own clients leave both. Locks: what it releases, SKIP LOCKED, 1,000 at most.
-- Index: stranded_workflows_index; primary keys.
WITH seen AS (
    INSERT INTO {extension}.application_code AS c (application_name, code)
    VALUES (%(application_name)s::text, %(code)s::text)
    ON CONFLICT (application_name, code) DO UPDATE SET last_seen_at = now()
), known AS MATERIALIZED (
    SELECT workflow_uuid, released_at, met FROM {extension}.stranded_workflows
    WHERE application_name = %(application_name)s::text
), open AS MATERIALIZED (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM known))
      AND (s.status IN ('DELAYED', 'ENQUEUED', 'PENDING')) IS TRUE
), swept AS (
    DELETE FROM {extension}.stranded_workflows t
    WHERE t.workflow_uuid = ANY (ARRAY(
        SELECT workflow_uuid FROM known WHERE workflow_uuid NOT IN (SELECT workflow_uuid FROM open)))
), pauses AS MATERIALIZED (
    SELECT p.workflow_uuid, s.workflow_uuid IS NOT NULL AS is_true
    FROM (SELECT workflow_uuid FROM {extension}.paused_workflows ORDER BY paused_at LIMIT 1000) p
    LEFT JOIN LATERAL (
        SELECT w.workflow_uuid FROM {schema}.workflow_status w
        WHERE w.workflow_uuid = p.workflow_uuid AND (w.status = 'DELAYED') IS TRUE
          AND w.delay_until_epoch_ms = %(paused_until)s::bigint OFFSET 0
    ) s ON true
), unpaused AS (
    DELETE FROM {extension}.paused_workflows t
    WHERE t.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM pauses WHERE NOT is_true))
      AND t.paused_at < now() - interval '1 minute'  -- not one that is made while this runs
), chosen AS MATERIALIZED (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(
            SELECT workflow_uuid FROM known WHERE released_at IS NULL AND NOT %(code)s::text = ANY (met)))
      AND (s.status = 'DELAYED') IS TRUE AND s.delay_until_epoch_ms = %(until)s::bigint
      AND (s.application_version = %(app_version)s::text OR s.application_version IS NULL)
      AND s.name || chr(31) || COALESCE(s.class_name, '') || chr(31) || COALESCE(s.config_name, '')
          = ANY (%(runnable)s::text[])
    LIMIT 1000
    FOR UPDATE OF s SKIP LOCKED
), released AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', delay_until_epoch_ms = NULL, updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM chosen))
    RETURNING s.queue_name
), marked AS (
    UPDATE {extension}.stranded_workflows t SET released_at = now()
    WHERE t.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM chosen))
)
SELECT queue_name, CASE WHEN octet_length(queue_name) < 7900 THEN pg_notify('durably', 'q::' || queue_name) END
FROM (SELECT DISTINCT queue_name FROM released) q
