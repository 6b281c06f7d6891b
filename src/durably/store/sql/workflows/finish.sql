-- PENDING -> SUCCESS | ERROR, for runs that still hold their owner token, with the outcome beside it.
-- Index: primary keys; the status is tested in a form that keeps the planner off idx_workflow_status_pending,
-- which looks empty to it after a quiet time and is long when many runs are parked. Returns the ids whose outcome was refused; the notice wakes waiting clients at commit.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, status text, output text, error text)
), finished AS (
    UPDATE {schema}.workflow_status s
    SET status = a.status, deduplication_id = NULL, owner_xid = NULL,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        completed_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM asked a
    WHERE s.workflow_uuid = a.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND (s.status = 'PENDING') IS TRUE AND s.owner_xid = a.owner
    RETURNING s.workflow_uuid, a.owner
), stored AS (
    INSERT INTO {schema}.workflow_output (workflow_uuid, output, error)
    SELECT a.workflow_id, a.output, a.error
    FROM asked a JOIN finished f ON f.workflow_uuid = a.workflow_id AND f.owner = a.owner
    ON CONFLICT (workflow_uuid) DO UPDATE SET output = EXCLUDED.output, error = EXCLUDED.error
), notices AS (
    SELECT DISTINCT CASE WHEN count(*) OVER () > 32 OR octet_length(workflow_uuid) > 7900
                         THEN 'r::*' ELSE 'r::' || workflow_uuid END AS payload
    FROM finished
), told AS (
    SELECT count(pg_notify('durably', payload)) AS told FROM notices
)
SELECT a.workflow_id, a.owner FROM asked a
LEFT JOIN finished f ON f.workflow_uuid = a.workflow_id AND f.owner = a.owner
WHERE f.workflow_uuid IS NULL
UNION ALL
SELECT NULL, NULL FROM told  -- a row of its own, so that the notices always go out
