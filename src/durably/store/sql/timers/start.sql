-- Fixes the instants of timers on the database's clock, once: a timer that is recorded keeps its instant.
-- The output is epoch seconds, as DBOS for Python writes it. Locks and index: as steps/record.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, function_id int, seconds float8, until float8, started_at bigint)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), due AS (
    SELECT a.*, COALESCE(a.until, EXTRACT(epoch FROM clock_timestamp())::float8 + a.seconds) AS wake
    FROM asked a JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, serialization,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT workflow_id, function_id, 'DBOS.sleep', wake::text, 'portable_json',
           started_at, (wake * 1000)::bigint, %(application_name)s
    FROM due
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, output
)
SELECT d.workflow_id, d.owner, d.function_id, r.output::float8 AS wake,
       EXTRACT(epoch FROM clock_timestamp())::float8 AS database_now
FROM due d
JOIN recorded r ON r.workflow_uuid = d.workflow_id AND r.function_id = d.function_id
