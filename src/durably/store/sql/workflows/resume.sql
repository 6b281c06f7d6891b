-- Puts workflows that have no outcome on a queue, once more from their last recorded operation; nothing at all
-- when one of them does not exist (`strict`); only those in `statuses` (NULL: all). Returns every workflow that was met, and whether it was changed.
-- A run that is under way loses its token; the notice stops it where it stands, before the next one begins.
-- `creator_xid` takes the call's own token, so that its repetition (the answer was lost) changes nothing more.
WITH asked AS (
    SELECT DISTINCT unnest(%(workflow_ids)s::text[]) AS workflow_id
), locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status, s.owner_xid, s.creator_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), resumed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', queue_name = %(queue_name)s::text, recovery_attempts = 0,
        workflow_deadline_epoch_ms = NULL, deduplication_id = NULL, started_at_epoch_ms = NULL,
        owner_xid = NULL, completed_at = NULL, creator_xid = %(token)s::text,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid
      AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM locked))
      AND locked.status NOT IN ('SUCCESS', 'ERROR')
      AND locked.creator_xid IS DISTINCT FROM %(token)s::text
      AND (%(statuses)s::text[] IS NULL OR locked.status = ANY (%(statuses)s::text[]))
      AND (NOT %(strict)s::boolean OR (SELECT count(*) FROM locked) = (SELECT count(*) FROM asked))
    RETURNING s.workflow_uuid, locked.owner_xid
), stopped AS (
    SELECT count(pg_notify('durably', 'c::' || workflow_uuid || '::' || owner_xid)) AS notices
    FROM resumed WHERE owner_xid IS NOT NULL AND octet_length(workflow_uuid) < 7900
), told AS (
    SELECT count(pg_notify('durably', 'q::' || %(queue_name)s::text)) AS notices
    FROM (SELECT FROM resumed LIMIT 1) one WHERE octet_length(%(queue_name)s::text) < 7900
)
SELECT locked.workflow_uuid AS workflow_id,
       resumed.workflow_uuid IS NOT NULL OR locked.creator_xid IS NOT DISTINCT FROM %(token)s::text AS changed
FROM stopped, told, locked
LEFT JOIN resumed ON resumed.workflow_uuid = locked.workflow_uuid
ORDER BY locked.workflow_uuid
