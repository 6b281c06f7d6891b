-- Lets a queue go on: on one executor, or (executor_id '') everywhere, whoever paused it where.
WITH resumed AS (
    DELETE FROM {extension}.queue_controls c
    WHERE c.queue_name = %(name)s AND (%(executor_id)s = '' OR c.executor_id = %(executor_id)s)
    RETURNING c.queue_name
)
SELECT (SELECT count(*) FROM {schema}.queues q WHERE q.name = %(name)s) > 0 AS is_queue,
       (SELECT count(*) FROM resumed) > 0 AS is_changed,
       CASE WHEN octet_length(%(name)s::text) < 7900 THEN pg_notify('durably', 'k::' || %(name)s::text) END
