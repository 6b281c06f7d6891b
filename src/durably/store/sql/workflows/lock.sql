-- Locks workflows before they are deleted, in one order, with their descendants where asked: what their runs record
-- is seen by the next statement, or refused. Of the named ones only those in `statuses` (NULL: all).
-- Index: primary key, idx_workflow_status_parent_workflow_id.
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
)
SELECT s.workflow_uuid AS workflow_id
FROM {schema}.workflow_status s
WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM met))
  AND (%(statuses)s::text[] IS NULL OR (s.status = ANY (%(statuses)s::text[])) IS TRUE
       OR NOT s.workflow_uuid = ANY (%(workflow_ids)s::text[]))
ORDER BY s.workflow_uuid
FOR UPDATE OF s
