-- Sets events: the latest value, the history entry, and (outside steps) the operation, for owned runs only.
-- Locks: the status row first, then the event's, so that two of our writers never wait in a ring.
-- The notice on DBOS's own channel wakes peers and our hubs at commit. Returns the refused ones.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, function_id int, key text, value text, serialization text,
        in_step boolean, started_at bigint, completed_at bigint)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), mine AS MATERIALIZED (
    SELECT a.* FROM asked a JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
), latest AS (
    INSERT INTO {schema}.workflow_events (workflow_uuid, key, value, serialization)
    SELECT DISTINCT ON (m.workflow_id, m.key) m.workflow_id, m.key, m.value, m.serialization
    FROM mine m
    WHERE NOT EXISTS (  -- a later value is there: this is a statement that was repeated, and came late
        SELECT FROM {schema}.workflow_events_history h
        WHERE h.workflow_uuid = m.workflow_id AND h.key = m.key AND h.function_id > m.function_id
        OFFSET 0)
    ORDER BY m.workflow_id, m.key, m.function_id DESC
    ON CONFLICT (workflow_uuid, key)
        DO UPDATE SET value = EXCLUDED.value, serialization = EXCLUDED.serialization
), history AS (
    INSERT INTO {schema}.workflow_events_history (workflow_uuid, function_id, key, value, serialization)
    SELECT workflow_id, function_id, key, value, serialization FROM mine
    ON CONFLICT (workflow_uuid, function_id, key)
        DO UPDATE SET value = EXCLUDED.value, serialization = EXCLUDED.serialization
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, started_at_epoch_ms, completed_at_epoch_ms,
        application_name)
    SELECT workflow_id, function_id, 'DBOS.setEvent', started_at, completed_at, %(application_name)s
    FROM mine WHERE NOT in_step
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, completed_at_epoch_ms
), told AS (
    SELECT count(pg_notify('dbos_workflow_events_channel', workflow_id || '::' || key)) AS notices
    FROM mine WHERE octet_length(workflow_id || key) < 7900
)
SELECT a.workflow_id, a.owner, a.function_id,
       CASE WHEN m.workflow_id IS NULL THEN 'lost' ELSE 'taken' END AS refusal
FROM asked a
LEFT JOIN mine m ON m.workflow_id = a.workflow_id AND m.owner = a.owner
    AND m.function_id = a.function_id AND m.key = a.key
LEFT JOIN recorded r ON r.workflow_uuid = a.workflow_id AND r.function_id = a.function_id
WHERE m.workflow_id IS NULL
   OR (NOT a.in_step AND r.completed_at_epoch_ms IS DISTINCT FROM a.completed_at)
UNION ALL
SELECT NULL, NULL, NULL, 'told ' || notices FROM told  -- a row of its own, so that the notices always go out
