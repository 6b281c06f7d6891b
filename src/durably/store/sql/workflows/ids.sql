-- The ids of the workflows of a filter: the conditions and the order of workflows/list, planned as it is.
SELECT s.workflow_uuid AS workflow_id
FROM {schema}.workflow_status s
WHERE {conditions}
ORDER BY CASE WHEN %(sort_desc)s::boolean THEN s.created_at END DESC,
         CASE WHEN NOT %(sort_desc)s::boolean THEN s.created_at END ASC,
         CASE WHEN %(sort_desc)s::boolean THEN s.workflow_uuid END DESC,
         CASE WHEN NOT %(sort_desc)s::boolean THEN s.workflow_uuid END ASC
LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
