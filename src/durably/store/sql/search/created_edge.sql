-- The last row that search/created looked at, if it looked at `window` of them. Index: as there.
SELECT s.created_at AS at, s.workflow_uuid AS workflow_id
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
OFFSET %(window)s::bigint - 1 LIMIT 1
