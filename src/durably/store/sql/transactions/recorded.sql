-- The same where the application's tables are in the system database: the operation itself. Index: primary key.
SELECT output, error, serialization FROM {schema}.operation_outputs
WHERE workflow_uuid = %(workflow_id)s AND function_id = %(step_id)s::int
