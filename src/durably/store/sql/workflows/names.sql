-- The workflows that were started of late, by name: of the `most` latest, each with its last queue and application.
-- Index: workflow_status_created_at_index, backwards and up to the limit.
SELECT r.name, NULLIF(r.class_name, '') AS class_name,
       (array_agg(r.queue_name ORDER BY r.created_at DESC))[1] AS queue_name,
       (array_agg(r.application_name ORDER BY r.created_at DESC))[1] AS application_name,
       max(r.created_at) AS last_started_at
FROM (
    SELECT s.name, s.class_name, s.queue_name, s.application_name, s.created_at
    FROM {schema}.workflow_status s
    ORDER BY s.created_at DESC LIMIT %(most)s
) r
WHERE r.name <> ''
GROUP BY r.name, NULLIF(r.class_name, '')
ORDER BY r.name, class_name
