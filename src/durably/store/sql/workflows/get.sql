-- One workflow with its payloads, from their own tables or, in old rows, from the row itself.
-- Index: primary keys.
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
       CASE WHEN %(load_output)s::boolean THEN COALESCE(o.error, s.error) END AS error,
       s.status IN ('ENQUEUED', 'DELAYED') AND s.queue_name <> '_dbos_internal_queue' AND NOT EXISTS (
           SELECT FROM {schema}.queues q WHERE q.name = s.queue_name) AS queue_is_unknown
FROM {schema}.workflow_status s
LEFT JOIN {schema}.workflow_input i ON i.workflow_uuid = s.workflow_uuid
LEFT JOIN {schema}.workflow_output o ON o.workflow_uuid = s.workflow_uuid
WHERE s.workflow_uuid = %(workflow_id)s
