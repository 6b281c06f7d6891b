-- Paused workflows become what they were: DELAYED until the same instant, or ENQUEUED; also what ran, for nobody runs it
-- now. A deadline is later by as long as the pause was. Locks: the workflows' rows, in one order. Index: primary
-- keys. Returns those that were paused.
WITH locked AS MATERIALIZED (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
      AND (s.status = 'DELAYED') IS TRUE AND s.delay_until_epoch_ms = %(until)s::bigint
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), noted AS MATERIALIZED (
    SELECT l.workflow_uuid, t.status, t.delay_until_epoch_ms,
           (EXTRACT(epoch FROM now() - t.paused_at) * 1000)::bigint AS paused_ms
    FROM locked l
    LEFT JOIN LATERAL (
        SELECT n.status, n.delay_until_epoch_ms, n.paused_at FROM {extension}.paused_workflows n
        WHERE n.workflow_uuid = l.workflow_uuid OFFSET 0
    ) t ON true
), unpaused AS (
    UPDATE {schema}.workflow_status s
    SET status = CASE WHEN n.status = 'DELAYED' THEN 'DELAYED' ELSE 'ENQUEUED' END,
        delay_until_epoch_ms = n.delay_until_epoch_ms,
        workflow_deadline_epoch_ms = s.workflow_deadline_epoch_ms + COALESCE(n.paused_ms, 0),
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM noted n
    WHERE s.workflow_uuid = n.workflow_uuid
      AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM noted))
    RETURNING s.workflow_uuid, s.queue_name, s.status
), forgotten AS (
    DELETE FROM {extension}.paused_workflows t
    WHERE t.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM locked))
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM unpaused WHERE status = 'ENQUEUED') q
    WHERE octet_length(queue_name) < 7900
)
SELECT u.workflow_uuid AS workflow_id FROM told, unpaused u ORDER BY u.workflow_uuid
