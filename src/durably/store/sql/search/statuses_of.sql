-- How many of the newest `window` workflows a filter has, by status; `seen` is how many were looked at.
-- Index: workflow_status_created_at_index.
WITH newest AS MATERIALIZED (
    SELECT s.*
    FROM {schema}.workflow_status s
    WHERE (%(start_time)s::bigint IS NULL OR s.created_at >= %(start_time)s::bigint)
      AND (%(end_time)s::bigint IS NULL OR s.created_at <= %(end_time)s::bigint)
    ORDER BY s.created_at DESC
    LIMIT %(window)s::bigint
), counted AS (
    SELECT s.status, count(*) AS workflows
    FROM newest s
    WHERE {conditions}
      AND (%(text)s::text IS NULL
           OR strpos(lower(s.workflow_uuid COLLATE "C"), %(text)s::text) > 0
           OR strpos(lower(s.name COLLATE "C"), %(text)s::text) > 0
           OR strpos(lower(s.attributes::text COLLATE "C"), %(text)s::text) > 0)
    GROUP BY s.status
)
SELECT seen.seen, c.status, c.workflows
FROM (SELECT count(*) AS seen FROM newest) seen LEFT JOIN counted c ON true
