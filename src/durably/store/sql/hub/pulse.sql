-- The one fallback query of an executor: hub/poll and, with it, everything else that time or a silent peer can
-- bring: delayed work that is due, deadlines that passed (of what is not paused), runs that are not ours any more
-- (a DBOS client that cancels notifies nobody), queues with work, executors whose lease ran out.
-- Every instant is the database's. Locks: due rows, SKIP LOCKED, 1,000 of a kind at most. What is locked needs no
-- second look at its status, which would let the planner read all that is delayed instead of the rows by key.
-- Index: as hub/poll; idx_workflow_status_delayed, _deadline, _in_flight_v2.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(waits)s::json) AS r(kind text, id text, key text, "offset" int)
), clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), ripe AS MATERIALIZED (
    SELECT s.workflow_uuid FROM {schema}.workflow_status s
    WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms <= (SELECT now_ms FROM clock)
      AND (s.workflow_deadline_epoch_ms <= (SELECT now_ms FROM clock)) IS NOT TRUE  -- a row changes once
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
    ORDER BY s.delay_until_epoch_ms LIMIT 1000 FOR UPDATE OF s SKIP LOCKED
), due AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', updated_at = now_ms,
        deduplication_id = CASE WHEN s.is_debounced THEN NULL ELSE s.deduplication_id END
    FROM clock WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM ripe))
    RETURNING s.queue_name
), late AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid FROM {schema}.workflow_status s
    WHERE s.status IN ('ENQUEUED', 'PENDING', 'DELAYED')
      AND s.workflow_deadline_epoch_ms <= (SELECT now_ms FROM clock)
      AND (s.status = 'DELAYED' AND s.delay_until_epoch_ms = %(paused_until)s::bigint) IS NOT TRUE
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
    ORDER BY s.workflow_deadline_epoch_ms LIMIT 1000 FOR UPDATE OF s SKIP LOCKED
), overdue AS (
    UPDATE {schema}.workflow_status s
    SET status = 'CANCELLED', owner_xid = NULL, queue_name = NULL, deduplication_id = NULL,
        started_at_epoch_ms = NULL, updated_at = now_ms, completed_at = now_ms
    FROM clock, late
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM late)) AND s.workflow_uuid = late.workflow_uuid
    RETURNING s.workflow_uuid, late.owner_xid
)
SELECT 'result' AS kind, s.workflow_uuid AS id, s.status AS key, COALESCE(o.output, s.output) AS value,
       COALESCE(o.error, s.error) AS error, s.serialization,
       NULL::int AS a, NULL::int AS b, NULL::int AS c, NULL::float8 AS d, NULL::boolean AS e
FROM {schema}.workflow_status s
LEFT JOIN LATERAL (
    SELECT p.output, p.error FROM {schema}.workflow_output p WHERE p.workflow_uuid = s.workflow_uuid OFFSET 0
) o ON true
WHERE s.workflow_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'result'))
  AND s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
UNION ALL
SELECT 'event', e.workflow_uuid, e.key, e.value, NULL, e.serialization, NULL, NULL, NULL, NULL, NULL
FROM {schema}.workflow_events e
WHERE e.workflow_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'event'))
  AND (e.workflow_uuid, e.key) IN (SELECT id, key FROM asked WHERE kind = 'event')
UNION ALL
SELECT 'message', w.id, w.key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM asked w
WHERE w.kind = 'message' AND (w.id, w.key) IN (
    SELECT n.destination_uuid, n.topic FROM {schema}.notifications n
    WHERE n.destination_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'message')) AND NOT n.consumed)
UNION ALL
SELECT 'stream', w.id, w.key, w."offset"::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM asked w
LEFT JOIN LATERAL (
    SELECT l.status FROM {schema}.workflow_status l WHERE l.workflow_uuid = w.id OFFSET 0
) s ON true
WHERE w.kind = 'stream' AND (
    s.status IS NULL OR s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
    OR EXISTS (SELECT FROM {schema}.streams t
               WHERE t.workflow_uuid = w.id AND t.key = w.key AND t."offset" = w."offset" OFFSET 0))
UNION ALL
SELECT 'due', queue_name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT queue_name, CASE WHEN octet_length(queue_name) < 7900
                              THEN pg_notify('durably', 'q::' || queue_name) END AS told
      FROM (SELECT DISTINCT queue_name FROM due) q) d
UNION ALL
SELECT 'cancelled', workflow_uuid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT workflow_uuid, CASE WHEN owner_xid IS NOT NULL AND octet_length(workflow_uuid) < 7900
                                 THEN pg_notify('durably', 'c::' || workflow_uuid || '::' || owner_xid) END AS stops,
             CASE WHEN octet_length(workflow_uuid) < 7900
                  THEN pg_notify('durably', 'r::' || workflow_uuid) END AS wakes
      FROM overdue) o
UNION ALL
SELECT 'schedules', fingerprint, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT sum(hashtextextended(concat_ws(
                 chr(31), s.schedule_id, s.schedule_name, s.workflow_name, COALESCE(s.workflow_class_name, ''), s.schedule,
                 s.automatic_backfill, COALESCE(s.cron_timezone, ''), COALESCE(s.queue_name, ''), s.context,
                 o.catch_up_seconds, o.jitter_seconds, o.overlap), 0)::numeric)::text AS fingerprint
      FROM {schema}.workflow_schedules s
      LEFT JOIN {extension}.schedule_options o ON o.schedule_id = s.schedule_id
      WHERE s.status = 'ACTIVE' AND (s.application_name = %(application_name)s OR s.application_name IS NULL)) f
WHERE fingerprint IS NOT NULL
UNION ALL
SELECT 'lost', w.id, w.key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM asked w
WHERE w.kind = 'run' AND w.key IS DISTINCT FROM (
    SELECT s.owner_xid FROM {schema}.workflow_status s WHERE s.workflow_uuid = w.id)
UNION ALL
SELECT 'dead', executor_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM {extension}.executors
WHERE application_name = %(application_name)s AND stopped_at IS NULL AND expires_at < clock_timestamp()
UNION ALL
SELECT 'queue', q.name, NULL, row_to_json(q)::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (
    SELECT name, concurrency, worker_concurrency, rate_limit_max, rate_limit_period_sec, partition_concurrency,
           partition_worker_concurrency, partition_rate_limit_max, partition_rate_limit_period_sec, application_name
    FROM {schema}.queues
    UNION ALL
    SELECT '_dbos_internal_queue', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
) q
WHERE (q.application_name = %(application_name)s OR q.application_name IS NULL)
  AND EXISTS (
    SELECT FROM {schema}.workflow_status s
    WHERE s.queue_name = q.name AND s.status = 'ENQUEUED'
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL))
  AND NOT EXISTS (
    SELECT FROM {extension}.queue_controls c
    WHERE c.queue_name = q.name AND c.executor_id IN ('', %(executor_id)s) OFFSET 0)
UNION ALL
SELECT 'next', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       (LEAST(delayed.at, deadline.at, lease.at) - now_ms) / 1000.0, NULL  -- the first, however many there are
FROM clock, LATERAL (SELECT (
    SELECT s.delay_until_epoch_ms FROM {schema}.workflow_status s
    WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms > clock.now_ms
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
    ORDER BY s.delay_until_epoch_ms LIMIT 1
) AS at OFFSET 0) delayed, LATERAL (SELECT (
    SELECT s.workflow_deadline_epoch_ms FROM {schema}.workflow_status s
    WHERE s.status IN ('ENQUEUED', 'PENDING', 'DELAYED') AND s.workflow_deadline_epoch_ms > clock.now_ms
      AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
    ORDER BY s.workflow_deadline_epoch_ms LIMIT 1
) AS at OFFSET 0) deadline, LATERAL (SELECT (  -- a lease is seen as it ends; one that is renewed ends after an idle pulse
    SELECT (EXTRACT(epoch FROM min(l.expires_at)) * 1000)::bigint + 1 FROM {extension}.executors l
    WHERE l.application_name = %(application_name)s AND l.stopped_at IS NULL
      AND l.executor_id <> %(executor_id)s AND l.expires_at >= clock_timestamp()
) AS at OFFSET 0) lease
