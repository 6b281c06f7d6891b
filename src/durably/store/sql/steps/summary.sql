-- What a workflow has recorded, in numbers: how many operations (of the first so many), when, and in `bins` equal
-- parts of that time as [bin, operations, failed ones, first of them]. Index: primary key. No payload is read.
WITH step AS MATERIALIZED (
    SELECT p.function_id, p.started_at_epoch_ms AS started, p.completed_at_epoch_ms AS completed,
           p.error IS NOT NULL AS failed
    FROM {schema}.operation_outputs p
    WHERE p.workflow_uuid = %(workflow_id)s::text
    ORDER BY p.function_id
    LIMIT %(most)s::bigint
), extent AS MATERIALIZED (
    SELECT count(*) AS steps, count(*) FILTER (WHERE failed) AS failed, min(function_id) AS first_id,
           min(started) AS started, GREATEST(max(completed), max(started)) AS ended
    FROM step
)
SELECT e.steps, e.failed, e.first_id, e.started AS started_at_epoch_ms, e.ended AS completed_at_epoch_ms,
       (SELECT max(p.function_id) FROM {schema}.operation_outputs p
        WHERE p.workflow_uuid = %(workflow_id)s::text) AS last_id,
       (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_epoch_ms,
       COALESCE((
           SELECT json_agg(json_build_array(b.bin, b.steps, b.failed, b.first_id) ORDER BY b.bin) FROM (
               SELECT LEAST(%(bins)s::int - 1,
                            (s.started - e.started) * %(bins)s::int / GREATEST(1, e.ended - e.started)) AS bin,
                      count(*) AS steps, count(*) FILTER (WHERE s.failed) AS failed,
                      min(s.function_id) AS first_id
               FROM step s WHERE s.started IS NOT NULL GROUP BY 1
           ) b
       ), '[]')::text AS bins
FROM extent e
