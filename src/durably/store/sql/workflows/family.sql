-- Which of these workflows there are, with their descendants where asked, of some statuses. Index: primary key,
-- idx_workflow_status_parent_workflow_id.
WITH RECURSIVE met AS (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
    UNION
    SELECT child.workflow_uuid
    FROM met
    JOIN {schema}.workflow_status child ON child.parent_workflow_id = met.workflow_uuid
    WHERE %(children)s::boolean
)
SELECT s.workflow_uuid AS workflow_id
FROM {schema}.workflow_status s
WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM met))
  AND (s.status = ANY (%(statuses)s::text[])) IS TRUE
ORDER BY s.created_at, s.workflow_uuid
