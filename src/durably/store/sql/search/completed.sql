-- The same by the end of the workflows; those that have not ended are not among them.
-- Index: idx_workflow_status_completed_at, either way.
SELECT s.workflow_uuid AS workflow_id, s.completed_at AS at
FROM (
    SELECT s.*
    FROM {schema}.workflow_status s
    WHERE s.completed_at IS NOT NULL
      AND (%(cursor_at)s::bigint IS NULL
             OR (%(descending)s::boolean AND s.completed_at <= %(cursor_at)s::bigint
                 AND (s.completed_at, s.workflow_uuid) < (%(cursor_at)s::bigint, %(cursor_id)s::text))
             OR (NOT %(descending)s::boolean AND s.completed_at >= %(cursor_at)s::bigint
                 AND (s.completed_at, s.workflow_uuid) > (%(cursor_at)s::bigint, %(cursor_id)s::text)))
      AND (%(completed_after)s::bigint IS NULL OR s.completed_at >= %(completed_after)s::bigint)
      AND (%(completed_before)s::bigint IS NULL OR s.completed_at <= %(completed_before)s::bigint)
    ORDER BY CASE WHEN %(descending)s::boolean THEN s.completed_at END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.completed_at END ASC,
             CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
    LIMIT %(window)s::bigint
) s
WHERE {conditions}
  AND (%(text)s::text IS NULL
       OR strpos(lower(s.workflow_uuid COLLATE "C"), %(text)s::text) > 0
       OR strpos(lower(s.name COLLATE "C"), %(text)s::text) > 0
       OR strpos(lower(s.attributes::text COLLATE "C"), %(text)s::text) > 0)
ORDER BY CASE WHEN %(descending)s::boolean THEN s.completed_at END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.completed_at END ASC,
         CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
LIMIT %(limit)s::bigint
