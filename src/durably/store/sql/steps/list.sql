-- The recorded operations of a workflow, in order. Index: primary key.
SELECT p.function_id, p.function_name, p.child_workflow_id, p.started_at_epoch_ms, p.completed_at_epoch_ms,
       p.serialization,
       COALESCE((SELECT s.attributes @> jsonb_build_object(
                    'durably.edited', jsonb_build_object('outputs', jsonb_build_array(p.function_id)))
                 FROM {schema}.workflow_status s WHERE s.workflow_uuid = p.workflow_uuid), false) AS edited,
       CASE WHEN %(load_output)s::boolean THEN p.output END AS output,
       CASE WHEN %(load_output)s::boolean THEN p.error END AS error
FROM {schema}.operation_outputs p
WHERE p.workflow_uuid = %(workflow_id)s::text
ORDER BY p.function_id
LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint
