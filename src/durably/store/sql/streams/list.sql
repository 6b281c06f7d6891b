-- Every value of every stream of a workflow. No row: none. Index: the primary key.
SELECT key, value, serialization, "offset"::int AS "offset", function_id
FROM {schema}.streams
WHERE workflow_uuid = %(workflow_id)s
ORDER BY key, "offset"
