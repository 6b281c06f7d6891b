-- A fork may be attempted as often as its original, beside forks/fork.
WITH asked AS (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(workflow_id text, new_id text)
)
INSERT INTO {extension}.workflow_limits (workflow_uuid, max_recovery_attempts)
SELECT a.new_id, l.max_recovery_attempts
FROM asked a
JOIN {extension}.workflow_limits l ON l.workflow_uuid = a.workflow_id
JOIN {schema}.workflow_status s ON s.workflow_uuid = a.new_id AND s.forked_from = a.workflow_id
WHERE l.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
  AND s.workflow_uuid = ANY (ARRAY(SELECT new_id FROM asked))
ON CONFLICT (workflow_uuid) DO NOTHING
