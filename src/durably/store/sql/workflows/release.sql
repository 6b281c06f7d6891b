-- PENDING -> ENQUEUED for workflows that these tokens still own: work that is given back.
-- As DBOS's own recovery does it; a workflow without a queue goes to the internal one.
WITH asked AS (
    SELECT * FROM json_to_recordset(%(owned)s::json) AS r(workflow_id text, owner text)
), released AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,
        queue_name = COALESCE(s.queue_name, '_dbos_internal_queue'),
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM asked a
    WHERE s.workflow_uuid = a.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND (s.status = 'PENDING') IS TRUE AND s.owner_xid = a.owner
    RETURNING s.queue_name
)
SELECT queue_name, CASE WHEN octet_length(queue_name) < 7900 THEN pg_notify('durably', 'q::' || queue_name) END
FROM (SELECT DISTINCT queue_name FROM released) q
