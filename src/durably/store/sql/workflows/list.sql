-- The workflows of a filter, a page of them in order of creation. To be planned for its very values: a
-- condition that is not asked for then folds away, and with it the other direction of the order.
-- Index: created_at, or that of the most selective condition; payloads by primary key, for the page only.
WITH page AS (
    SELECT s.*
    FROM {schema}.workflow_status s
    WHERE {conditions}
    ORDER BY CASE WHEN %(sort_desc)s::boolean THEN s.created_at END DESC,
             CASE WHEN NOT %(sort_desc)s::boolean THEN s.created_at END ASC,
             CASE WHEN %(sort_desc)s::boolean THEN s.workflow_uuid END DESC,
             CASE WHEN NOT %(sort_desc)s::boolean THEN s.workflow_uuid END ASC
    LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
)
SELECT
       s.workflow_uuid AS workflow_id, s.status, s.name, NULLIF(s.class_name, '') AS class_name,
       NULLIF(s.config_name, '') AS config_name, s.queue_name, s.serialization,
       NULLIF(s.executor_id, '') AS executor_id, s.application_version AS app_version, s.application_name,
       NULLIF(s.application_id, '') AS app_id, NULLIF(s.authenticated_user, '') AS authenticated_user,
       NULLIF(s.assumed_role, '') AS assumed_role, s.authenticated_roles,
       COALESCE(s.recovery_attempts, 0) AS recovery_attempts, s.priority, s.deduplication_id,
       s.queue_partition_key, s.created_at, s.updated_at, s.started_at_epoch_ms AS dequeued_at, s.completed_at,
       s.delay_until_epoch_ms, s.workflow_timeout_ms, s.workflow_deadline_epoch_ms, s.parent_workflow_id,
       s.forked_from, s.was_forked_from, s.attributes::text AS attributes, s.schedule_name,
       CASE WHEN %(load_input)s::boolean THEN COALESCE(i.inputs, s.inputs) END AS inputs,
       CASE WHEN %(load_output)s::boolean THEN COALESCE(o.output, s.output) END AS output,
       CASE WHEN %(load_output)s::boolean THEN COALESCE(o.error, s.error) END AS error
FROM page s
LEFT JOIN {schema}.workflow_input i ON %(load_input)s::boolean AND i.workflow_uuid = s.workflow_uuid
LEFT JOIN {schema}.workflow_output o ON %(load_output)s::boolean AND o.workflow_uuid = s.workflow_uuid
ORDER BY CASE WHEN %(sort_desc)s::boolean THEN s.created_at END DESC,
         CASE WHEN NOT %(sort_desc)s::boolean THEN s.created_at END ASC,
         CASE WHEN %(sort_desc)s::boolean THEN s.workflow_uuid END DESC,
         CASE WHEN NOT %(sort_desc)s::boolean THEN s.workflow_uuid END ASC
