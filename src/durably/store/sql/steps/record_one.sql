-- steps/record for one operation, the whole of a lone workflow's commit: half of what the batch's statement costs.
-- Locks and index as there. No row: lost. Another completed_at than ours: taken.
WITH owned AS (
    SELECT workflow_uuid FROM {schema}.workflow_status
    WHERE workflow_uuid = %(workflow_id)s AND owner_xid = %(owner)s
    FOR NO KEY UPDATE
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, error, serialization, child_workflow_id,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT workflow_uuid, %(function_id)s::int, %(function_name)s::text, %(output)s::text, %(error)s::text,
           %(serialization)s::text, %(child_workflow_id)s::text, %(started_at)s::bigint,
           %(completed_at)s::bigint, %(application_name)s::text
    FROM owned
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING completed_at_epoch_ms
)
SELECT completed_at_epoch_ms AS completed_at FROM recorded
