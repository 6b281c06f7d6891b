-- Values of a stream from an offset on, with their first characters. Index: the primary key.
SELECT t."offset"::int AS "offset", t.function_id, t.serialization, left(t.value, %(most)s::int) AS value,
       octet_length(t.value) AS value_size
FROM {schema}.streams t
WHERE t.workflow_uuid = %(workflow_id)s::text AND t.key = %(key)s::text AND t."offset" >= %(offset)s::int
ORDER BY t."offset"
LIMIT %(limit)s::bigint
