-- What a transaction of a workflow came to, in the application's database. Index: the primary key.
SELECT output, error, serialization FROM {schema}.datasource_outputs
WHERE workflow_id = %(workflow_id)s AND step_id = %(step_id)s::int
