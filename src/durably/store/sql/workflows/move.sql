-- Gives workflows that do not run another version (NULL: whichever is the latest). One that is stranded (delayed until
-- `until`) goes back on its queue. Returns those that were moved.
-- Locks: the workflows' rows, in id order. Index: primary key.
WITH locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.delay_until_epoch_ms IS NOT DISTINCT FROM %(until)s::bigint AS is_stranded
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[]) AND (s.status IN ('ENQUEUED', 'DELAYED')) IS TRUE
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), moved AS (
    UPDATE {schema}.workflow_status s
    SET application_version = %(app_version)s::text,
        status = CASE WHEN is_stranded THEN 'ENQUEUED' ELSE s.status END,
        delay_until_epoch_ms = CASE WHEN is_stranded THEN NULL ELSE s.delay_until_epoch_ms END,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid
      AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM locked))
    RETURNING s.workflow_uuid, s.queue_name, s.status
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM moved WHERE status = 'ENQUEUED') q WHERE octet_length(queue_name) < 7900
)
SELECT workflow_uuid AS workflow_id FROM told, moved ORDER BY workflow_uuid
