-- The last row that search/completed looked at, if it looked at `window` of them. Index: as there.
SELECT s.completed_at AS at, s.workflow_uuid AS workflow_id
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
OFFSET %(window)s::bigint - 1 LIMIT 1
