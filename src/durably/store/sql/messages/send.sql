-- Sends messages; one that a run sends needs that run's owner token and (outside steps) is its operation.
-- A repeated message_uuid is dropped. DBOS's trigger on the table notifies the receiver at commit.
-- Returns the refused ones: 'missing' (no such destination), 'lost' or 'taken'.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        message_uuid text, destination text, topic text, message text, serialization text,
        workflow_id text, owner text, function_id int, in_step boolean,
        started_at bigint, completed_at bigint)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked WHERE workflow_id IS NOT NULL))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked WHERE owner IS NOT NULL))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), judged AS MATERIALIZED (
    SELECT a.*, CASE
        WHEN a.workflow_id IS NOT NULL AND o.workflow_uuid IS NULL THEN 'lost'
        WHEN d.workflow_uuid IS NULL THEN 'missing'
        END AS refusal
    FROM asked a
    LEFT JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
    LEFT JOIN LATERAL (
        SELECT s.workflow_uuid FROM {schema}.workflow_status s WHERE s.workflow_uuid = a.destination OFFSET 0
    ) d ON true
), sent AS (
    INSERT INTO {schema}.notifications (message_uuid, destination_uuid, topic, message, serialization)
    SELECT message_uuid, destination, topic, message, serialization FROM judged WHERE refusal IS NULL
    ON CONFLICT (message_uuid) DO NOTHING
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, started_at_epoch_ms, completed_at_epoch_ms,
        application_name)
    SELECT workflow_id, function_id, 'DBOS.send', started_at, completed_at, %(application_name)s
    FROM judged WHERE refusal IS NULL AND workflow_id IS NOT NULL AND NOT in_step
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, completed_at_epoch_ms
)
SELECT j.message_uuid, j.owner, j.function_id, COALESCE(j.refusal, 'taken') AS refusal
FROM judged j
LEFT JOIN recorded r ON r.workflow_uuid = j.workflow_id AND r.function_id = j.function_id
WHERE j.refusal IS NOT NULL OR r.completed_at_epoch_ms IS DISTINCT FROM (
    CASE WHEN j.workflow_id IS NULL OR j.in_step THEN r.completed_at_epoch_ms ELSE j.completed_at END)
