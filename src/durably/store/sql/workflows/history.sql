-- The recorded operations of workflows that are about to be replayed. Index: primary key.
SELECT workflow_uuid AS workflow_id, function_id, function_name, output, error, child_workflow_id, serialization
FROM {schema}.operation_outputs
WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
ORDER BY workflow_uuid, function_id
