-- Puts workflows that have no outcome on a queue, once more from their last recorded operation; nothing at all
-- when one of them does not exist. Returns every workflow that was met, and whether it was changed.
-- `running` false (a repetition whose first answer was lost) leaves what runs alone: it may be our own doing.
WITH asked AS (
    SELECT DISTINCT unnest(%(workflow_ids)s::text[]) AS workflow_id
), locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), resumed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', queue_name = %(queue_name)s::text, recovery_attempts = 0,
        workflow_deadline_epoch_ms = NULL, deduplication_id = NULL, started_at_epoch_ms = NULL,
        owner_xid = NULL, completed_at = NULL, updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid AND locked.status NOT IN ('SUCCESS', 'ERROR')
      AND (%(running)s::boolean OR locked.status <> 'PENDING')
      AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM asked)
    RETURNING s.workflow_uuid
), told AS (
    SELECT count(pg_notify('durably', 'q::' || %(queue_name)s::text)) AS notices
    FROM (SELECT FROM resumed LIMIT 1) one WHERE octet_length(%(queue_name)s::text) < 7900
)
SELECT locked.workflow_uuid AS workflow_id, resumed.workflow_uuid IS NOT NULL AS changed
FROM told, locked
LEFT JOIN resumed ON resumed.workflow_uuid = locked.workflow_uuid
ORDER BY locked.workflow_uuid
