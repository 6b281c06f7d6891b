-- A page of the recorded operations of a workflow behind one of them, in order, with their children, and with the
-- first characters of what they recorded. Index: primary keys.
SELECT p.function_id, p.function_name, p.started_at_epoch_ms, p.completed_at_epoch_ms, p.serialization,
       COALESCE((SELECT s.attributes @> jsonb_build_object(
                    'durably.edited', jsonb_build_object('outputs', jsonb_build_array(p.function_id)))
                 FROM {schema}.workflow_status s WHERE s.workflow_uuid = p.workflow_uuid), false) AS edited,
       left(p.output, %(most)s::int) AS output, octet_length(p.output) AS output_size,
       left(p.error, %(most)s::int) AS error, octet_length(p.error) AS error_size,
       p.child_workflow_id, c.name AS child_name, c.status AS child_status, c.created_at AS child_created_at,
       c.completed_at AS child_completed_at
FROM (
    SELECT q.* FROM {schema}.operation_outputs q
    WHERE q.workflow_uuid = %(workflow_id)s::text AND q.function_id > %(after)s::int
      AND (NOT %(only_failed)s::boolean OR q.error IS NOT NULL)
    ORDER BY q.function_id
    LIMIT %(limit)s::bigint
) p
LEFT JOIN LATERAL (
    SELECT s.name, s.status, s.created_at, s.completed_at FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = p.child_workflow_id OFFSET 0
) c ON true
ORDER BY p.function_id
