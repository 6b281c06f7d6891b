-- A page of the workflows of a filter by creation, among the next `window` rows behind the cursor: however rare they are,
-- no more is read. To be planned for its very values. Index: workflow_status_created_at_index, either way.
SELECT s.workflow_uuid AS workflow_id, s.created_at AS at
FROM (
    SELECT s.*
    FROM {schema}.workflow_status s
    WHERE (%(cursor_at)s::bigint IS NULL
             OR (%(descending)s::boolean AND s.created_at <= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) < (%(cursor_at)s::bigint, %(cursor_id)s::text))
             OR (NOT %(descending)s::boolean AND s.created_at >= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) > (%(cursor_at)s::bigint, %(cursor_id)s::text)))
      AND (%(start_time)s::bigint IS NULL OR s.created_at >= %(start_time)s::bigint)
      AND (%(end_time)s::bigint IS NULL OR s.created_at <= %(end_time)s::bigint)
    ORDER BY CASE WHEN %(descending)s::boolean THEN s.created_at END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.created_at END ASC,
             CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
    LIMIT %(window)s::bigint
) s
WHERE {conditions}
  AND (%(text)s::text IS NULL
       OR strpos(lower(s.workflow_uuid COLLATE "C"), %(text)s::text) > 0
       OR strpos(lower(s.name COLLATE "C"), %(text)s::text) > 0
       OR strpos(lower(s.attributes::text COLLATE "C"), %(text)s::text) > 0)
ORDER BY CASE WHEN %(descending)s::boolean THEN s.created_at END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.created_at END ASC,
         CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
LIMIT %(limit)s::bigint
