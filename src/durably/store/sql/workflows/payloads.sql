-- The first characters of what a workflow was given and gave, and how large they are. Index: primary keys.
SELECT s.serialization,
       left(COALESCE(i.inputs, s.inputs), %(most)s::int) AS input,
       octet_length(COALESCE(i.inputs, s.inputs)) AS input_size,
       left(COALESCE(o.output, s.output), %(most)s::int) AS output,
       octet_length(COALESCE(o.output, s.output)) AS output_size,
       left(COALESCE(o.error, s.error), %(most)s::int) AS error,
       octet_length(COALESCE(o.error, s.error)) AS error_size
FROM {schema}.workflow_status s
LEFT JOIN {schema}.workflow_input i ON i.workflow_uuid = s.workflow_uuid
LEFT JOIN {schema}.workflow_output o ON o.workflow_uuid = s.workflow_uuid
WHERE s.workflow_uuid = %(workflow_id)s::text
