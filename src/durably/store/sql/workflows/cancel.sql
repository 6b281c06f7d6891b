-- Cancels workflows that have not ended with an outcome, with their children where asked; of the named ones
-- only those in `statuses` (NULL: all). Children are found
-- through parent_workflow_id. Locks the rows in one order. The notices wake waiters, and the executors that
-- run them (by their owner token), at commit. Returns every workflow that was met, and whether it was changed.
WITH RECURSIVE met AS (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
      AND (%(statuses)s::text[] IS NULL OR (s.status = ANY (%(statuses)s::text[])) IS TRUE)
    UNION
    SELECT child.workflow_uuid
    FROM met
    JOIN {schema}.workflow_status child ON child.parent_workflow_id = met.workflow_uuid
    WHERE %(children)s::boolean
), locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM met)) AND s.status NOT IN ('SUCCESS', 'ERROR')
      AND (%(statuses)s::text[] IS NULL OR (s.status = ANY (%(statuses)s::text[])) IS TRUE
           OR NOT s.workflow_uuid = ANY (%(workflow_ids)s::text[]))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), cancelled AS (
    UPDATE {schema}.workflow_status s
    SET status = 'CANCELLED', queue_name = NULL, deduplication_id = NULL, started_at_epoch_ms = NULL,
        owner_xid = NULL, updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        completed_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid
      AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM locked))
    RETURNING s.workflow_uuid, locked.owner_xid
), told AS (
    SELECT count(CASE WHEN owner_xid IS NOT NULL
                      THEN pg_notify('durably', 'c::' || workflow_uuid || '::' || owner_xid) END)
         + count(pg_notify('durably', 'r::' || workflow_uuid)) AS notices
    FROM cancelled WHERE octet_length(workflow_uuid) < 7900
)
SELECT met.workflow_uuid AS workflow_id, cancelled.workflow_uuid IS NOT NULL AS changed
FROM told, met
LEFT JOIN cancelled ON cancelled.workflow_uuid = met.workflow_uuid
ORDER BY met.workflow_uuid
