-- How often a workflow may be attempted, for workflows that this very call creates, beside workflows/create.
WITH asked AS (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, creator text, max_recovery_attempts int)
)
INSERT INTO {extension}.workflow_limits (workflow_uuid, max_recovery_attempts)
SELECT a.workflow_id, a.max_recovery_attempts
FROM asked a
JOIN {schema}.workflow_status s ON s.workflow_uuid = a.workflow_id AND s.creator_xid = a.creator
WHERE a.max_recovery_attempts IS NOT NULL
  AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
ON CONFLICT (workflow_uuid) DO UPDATE SET max_recovery_attempts = EXCLUDED.max_recovery_attempts
