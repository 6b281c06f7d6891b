-- workflows/finish for one run. Index: primary keys. No row: lost.
WITH finished AS (
    UPDATE {schema}.workflow_status
    SET status = %(status)s, deduplication_id = NULL, owner_xid = NULL,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        completed_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    WHERE workflow_uuid = %(workflow_id)s AND (status = 'PENDING') IS TRUE AND owner_xid = %(owner)s
    RETURNING workflow_uuid
), stored AS (
    INSERT INTO {schema}.workflow_output (workflow_uuid, output, error)
    SELECT workflow_uuid, %(output)s::text, %(error)s::text FROM finished
    ON CONFLICT (workflow_uuid) DO UPDATE SET output = EXCLUDED.output, error = EXCLUDED.error
)
SELECT CASE WHEN octet_length(workflow_uuid) < 7900 THEN pg_notify('durably', 'r::' || workflow_uuid)
            ELSE pg_notify('durably', 'r::*') END AS told
FROM finished
