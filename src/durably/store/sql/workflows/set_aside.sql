-- PENDING -> MAX_RECOVERY_ATTEMPTS_EXCEEDED for workflows that these tokens own.
WITH asked AS (
    SELECT * FROM json_to_recordset(%(owned)s::json) AS r(workflow_id text, owner text)
), set_aside AS (
    UPDATE {schema}.workflow_status s
    SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', owner_xid = NULL, deduplication_id = NULL,
        started_at_epoch_ms = NULL, queue_name = NULL,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        completed_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM asked a
    WHERE s.workflow_uuid = a.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND (s.status = 'PENDING') IS TRUE AND s.owner_xid = a.owner
    RETURNING s.workflow_uuid
)
SELECT workflow_uuid AS workflow_id,
       CASE WHEN octet_length(workflow_uuid) < 7900 THEN pg_notify('durably', 'r::' || workflow_uuid) END
FROM set_aside
