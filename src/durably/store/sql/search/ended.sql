-- A page of the workflows that ended badly, by creation: of each status as many as the page may take.
-- Index: idx_workflow_status_failed, either way.
SELECT s.workflow_uuid AS workflow_id, s.created_at AS at
FROM unnest(%(status)s::text[]) AS wanted (status), LATERAL (
    SELECT s.workflow_uuid, s.created_at
    FROM {schema}.workflow_status s
    WHERE s.status = wanted.status AND s.status IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
      AND (%(cursor_at)s::bigint IS NULL
             OR (%(descending)s::boolean AND s.created_at <= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) < (%(cursor_at)s::bigint, %(cursor_id)s::text))
             OR (NOT %(descending)s::boolean AND s.created_at >= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) > (%(cursor_at)s::bigint, %(cursor_id)s::text)))
      AND (%(start_time)s::bigint IS NULL OR s.created_at >= %(start_time)s::bigint)
      AND (%(end_time)s::bigint IS NULL OR s.created_at <= %(end_time)s::bigint)
      AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    ORDER BY CASE WHEN %(descending)s::boolean THEN s.created_at END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.created_at END ASC,
             CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
    LIMIT %(limit)s::bigint
) s
ORDER BY CASE WHEN %(descending)s::boolean THEN s.created_at END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.created_at END ASC,
         CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
LIMIT %(limit)s::bigint
