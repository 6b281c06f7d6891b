-- Another priority for a workflow that waits. Index: primary key. No row: there is no such workflow.
WITH locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status
    FROM {schema}.workflow_status s WHERE s.workflow_uuid = %(workflow_id)s::text
    FOR NO KEY UPDATE OF s
), changed AS (
    UPDATE {schema}.workflow_status s
    SET priority = %(priority)s::int, updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid AND s.workflow_uuid = %(workflow_id)s::text
      AND locked.status IN ('ENQUEUED', 'DELAYED')
    RETURNING s.workflow_uuid
)
SELECT locked.status, (SELECT count(*) FROM changed) > 0 AS changed FROM locked
