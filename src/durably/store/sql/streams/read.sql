-- Values of a stream from an offset on, up to the first gap, and the workflow's status in the same snapshot.
-- No row: there is no such workflow. Index: primary keys.
SELECT s.status, t.value, t.serialization, t."offset"::int AS "offset"
FROM {schema}.workflow_status s
LEFT JOIN LATERAL (
    SELECT l.value, l.serialization, l."offset"
    FROM {schema}.streams l
    WHERE l.workflow_uuid = s.workflow_uuid AND l.key = %(key)s
      AND l."offset" >= %(offset)s::int AND l."offset" < %(offset)s::bigint + %(most)s::int
    ORDER BY l."offset"
) t ON true
WHERE s.workflow_uuid = %(workflow_id)s
ORDER BY t."offset"
