-- The streams of a workflow: how many values each has, and whether it is closed. It goes from key to key, and
-- reads one value of each. Index: the primary key.
WITH RECURSIVE known AS (
    SELECT min(t.key) AS key FROM {schema}.streams t WHERE t.workflow_uuid = %(workflow_id)s::text
    UNION ALL
    SELECT (SELECT min(t.key) FROM {schema}.streams t
            WHERE t.workflow_uuid = %(workflow_id)s::text AND t.key > k.key)
    FROM known k WHERE k.key IS NOT NULL
)
SELECT k.key, last."offset" + 1 AS values,
       last.value IN ('"__DBOS_STREAM_CLOSED__"', '__DBOS_STREAM_CLOSED__') AS is_closed
FROM (SELECT known.key FROM known WHERE known.key IS NOT NULL LIMIT %(limit)s::int) k CROSS JOIN LATERAL (
    SELECT t."offset", left(t.value, 40) AS value FROM {schema}.streams t
    WHERE t.workflow_uuid = %(workflow_id)s::text AND t.key = k.key
    ORDER BY t."offset" DESC LIMIT 1
) last
ORDER BY k.key
