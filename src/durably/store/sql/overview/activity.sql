-- What was created and what ended since an instant, in spans of equal length; of each the newest `most` rows are read.
-- To be planned for its very values. Index: workflow_status_created_at_index, idx_workflow_status_completed_at.
WITH created AS (
    SELECT (s.created_at - %(begins_at)s::bigint) / %(span_ms)s::bigint AS span
    FROM {schema}.workflow_status s
    WHERE s.created_at >= %(begins_at)s::bigint AND s.created_at < %(ends_at)s::bigint
      AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    ORDER BY s.created_at DESC
    LIMIT %(most)s::bigint
), ended AS (
    SELECT (s.completed_at - %(begins_at)s::bigint) / %(span_ms)s::bigint AS span, s.status
    FROM {schema}.workflow_status s
    WHERE s.completed_at >= %(begins_at)s::bigint AND s.completed_at < %(ends_at)s::bigint
      AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
    ORDER BY s.completed_at DESC
    LIMIT %(most)s::bigint
)
SELECT 'created' AS kind, c.span, count(*) AS workflows FROM created c GROUP BY c.span
UNION ALL
SELECT e.status, e.span, count(*) FROM ended e GROUP BY e.status, e.span
