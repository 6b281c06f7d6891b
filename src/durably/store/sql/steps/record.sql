-- Records the outcomes of operations of runs that still hold their owner token.
-- Locks: the workflows' status rows, FOR NO KEY UPDATE in id order (foreign-key checks go on beside it).
-- Index: both primary keys. Returns only what was refused: 'lost' (not ours any more) or 'taken' (this
-- operation has another outcome already).
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, function_id int, function_name text, output text, error text,
        serialization text, child_workflow_id text, started_at bigint, completed_at bigint)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, error, serialization, child_workflow_id,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT a.workflow_id, a.function_id, a.function_name, a.output, a.error, a.serialization,
           a.child_workflow_id, a.started_at, a.completed_at, %(application_name)s
    FROM asked a
    JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, completed_at_epoch_ms
)
SELECT a.workflow_id, a.owner, a.function_id,
       CASE WHEN o.workflow_uuid IS NULL THEN 'lost' ELSE 'taken' END AS refusal
FROM asked a
LEFT JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
LEFT JOIN recorded r ON r.workflow_uuid = a.workflow_id AND r.function_id = a.function_id
WHERE o.workflow_uuid IS NULL OR r.completed_at_epoch_ms IS DISTINCT FROM a.completed_at
