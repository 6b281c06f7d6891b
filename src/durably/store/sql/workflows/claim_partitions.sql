-- ENQUEUED -> PENDING on a partitioned queue: as workflows/claim_limited, for the partitions that queues/partitions
-- found. Each partition has limits of its own under those of the queue; what there is room for is shared out, the
-- heads of all partitions first. Workflows without a partition key stay, as DBOS leaves them.
-- Locks: behind queues/lock; the chosen rows, NOWAIT. Index: idx_workflow_status_partition_dequeue_v3,
-- idx_workflow_status_in_flight_v2, queue_starts_partition_index.
-- Attempts and timeouts that nobody would write overflow nothing: one such row would block its queue.
-- A DBOS executor takes no lock on the queue, and its claim may be under way while this one counts: of rows that
-- this one would not choose (another version, a pickle) nothing would tell. So of the first 100 that still look
-- ENQUEUED those count as running that a transaction under way has locked (xmax: one of the snapshot's, or newer by
-- no more than there can be; reading it locks nothing). What
-- begins to take rows after this count is the later claim, and DBOS's to get right.
WITH clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), queue AS MATERIALIZED (
    SELECT q.* FROM {schema}.queues q WHERE q.name = %(queue_name)s
), under_way AS MATERIALIZED (
    SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::bigint) AS next_xid,
           ARRAY(SELECT x::text::bigint & 4294967295 FROM pg_snapshot_xip(pg_current_snapshot()) x) AS xids,
           current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int + 100 AS most
), claiming AS MATERIALIZED (
    SELECT count(*) AS workflows FROM (
        SELECT s.xmax FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED'
        ORDER BY s.priority, s.created_at LIMIT 100
    ) h, under_way u
    WHERE (h.xmax::text::bigint = ANY (u.xids) OR (h.xmax::text::bigint - u.next_xid) & 4294967295 < u.most)
), budget AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (
        SELECT FROM {extension}.queue_controls c
        WHERE c.queue_name = %(queue_name)s AND c.executor_id IN ('', %(executor_id)s)) THEN 0 ELSE GREATEST(0, LEAST(
        %(most)s,
        (SELECT q.worker_concurrency FROM queue q) - %(running)s,
        (SELECT q.concurrency FROM queue q) - (
            SELECT count(*) FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING') - (SELECT workflows FROM claiming),
        (SELECT q.rate_limit_max FROM queue q) - (SELECT workflows FROM claiming) - (
            SELECT count(*) FROM {extension}.queue_starts t, queue q
            WHERE t.queue_name = %(queue_name)s
              AND t.started_at_epoch_ms > (SELECT now_ms FROM clock) - q.rate_limit_period_sec * 1000
        ) - (
            SELECT count(*) FROM {schema}.workflow_status s, queue q
            WHERE s.queue_name = %(queue_name)s AND s.rate_limited
              AND s.status NOT IN ('ENQUEUED', 'DELAYED')
              AND s.started_at_epoch_ms > (SELECT now_ms FROM clock) - q.rate_limit_period_sec * 1000
              AND (SELECT count(*) FROM {extension}.queue_starts t
                   WHERE t.queue_name = %(queue_name)s AND t.started_at_epoch_ms = s.started_at_epoch_ms
                     AND t.workflow_uuid = s.workflow_uuid) = 0)
    )) END AS places
), latest AS (
    SELECT COALESCE((
        SELECT version_name FROM {schema}.application_versions
        WHERE application_name = %(application_name)s OR application_name IS NULL
        ORDER BY version_timestamp DESC LIMIT 1) = %(app_version)s, true) AS is_latest
), room AS MATERIALIZED (
    SELECT k.key, k.turn, LEAST(
        (SELECT places FROM budget),
        (SELECT q.partition_concurrency FROM queue q) - (
            SELECT count(*) FROM (
                SELECT s.xmax FROM {schema}.workflow_status s
                WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key = k.key
                ORDER BY s.priority, s.created_at, s.workflow_uuid LIMIT 20
            ) h, under_way u
    WHERE (h.xmax::text::bigint = ANY (u.xids) OR (h.xmax::text::bigint - u.next_xid) & 4294967295 < u.most)) - (
            SELECT count(*) FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING' AND s.queue_partition_key = k.key),
        (SELECT q.partition_worker_concurrency FROM queue q) - (
            SELECT count(*) FROM {schema}.workflow_status s
            WHERE s.queue_name = %(queue_name)s AND s.status = 'PENDING' AND s.queue_partition_key = k.key
              AND s.executor_id = %(executor_id)s),
        (SELECT q.partition_rate_limit_max FROM queue q) - (
            SELECT count(*) FROM (
                SELECT s.xmax FROM {schema}.workflow_status s
                WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key = k.key
                ORDER BY s.priority, s.created_at, s.workflow_uuid LIMIT 20
            ) h, under_way u
    WHERE (h.xmax::text::bigint = ANY (u.xids) OR (h.xmax::text::bigint - u.next_xid) & 4294967295 < u.most)) - (
            SELECT count(*) FROM {extension}.queue_starts t, queue q
            WHERE t.queue_name = %(queue_name)s AND t.queue_partition_key = k.key
              AND t.started_at_epoch_ms > (SELECT now_ms FROM clock) - q.partition_rate_limit_period_sec * 1000
        ) - (
            SELECT count(*) FROM {schema}.workflow_status s, queue q
            WHERE s.queue_name = %(queue_name)s AND s.rate_limited AND s.queue_partition_key = k.key
              AND s.status NOT IN ('ENQUEUED', 'DELAYED')
              AND s.started_at_epoch_ms > (SELECT now_ms FROM clock) - q.partition_rate_limit_period_sec * 1000
              AND (SELECT count(*) FROM {extension}.queue_starts t
                   WHERE t.queue_name = %(queue_name)s AND t.started_at_epoch_ms = s.started_at_epoch_ms
                     AND t.workflow_uuid = s.workflow_uuid) = 0)
    ) AS places
    FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS k(key, turn)
), share AS MATERIALIZED (
    SELECT ceil((SELECT places FROM budget)::numeric / GREATEST(1, count(*)))::bigint AS places
    FROM room WHERE room.places > 0
), head AS MATERIALIZED (
    SELECT first.workflow_uuid
    FROM room, LATERAL (
        SELECT s.workflow_uuid, row_number() OVER (ORDER BY s.priority, s.created_at, s.workflow_uuid) AS place
        FROM {schema}.workflow_status s
        WHERE s.queue_name = %(queue_name)s AND s.status = 'ENQUEUED' AND s.queue_partition_key = room.key
          AND CASE WHEN
              (s.application_version = %(app_version)s
               OR (s.application_version IS NULL AND (SELECT is_latest FROM latest)))
              AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
              AND s.name || chr(31) || COALESCE(s.class_name, '') || chr(31) || COALESCE(s.config_name, '')
                  = ANY (%(runnable)s::text[])
              AND (s.serialization IS NULL OR s.serialization = ANY (%(formats)s::text[]))
              AND s.workflow_uuid NOT IN (
                  SELECT workflow_uuid FROM {extension}.stranded_workflows
                  WHERE application_name = %(application_name)s AND released_at IS NOT NULL
                    AND %(code)s::text = ANY (met))
          THEN true ELSE false END
        ORDER BY s.priority, s.created_at, s.workflow_uuid
        LIMIT LEAST(room.places, (SELECT places FROM share)) OFFSET 0
    ) first
    WHERE room.places > 0
      AND (SELECT COALESCE(q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max)
           FROM queue q) IS NOT NULL
    ORDER BY first.place, room.turn
    LIMIT (SELECT places FROM budget)
), chosen AS MATERIALIZED (
    SELECT s.workflow_uuid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM head)) AND (s.status = 'ENQUEUED') IS TRUE
      AND s.queue_name = %(queue_name)s
    FOR UPDATE OF s NOWAIT
), claimed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'PENDING', owner_xid = %(owner)s, executor_id = %(executor_id)s,
        application_version = %(app_version)s, application_name = %(application_name)s,
        started_at_epoch_ms = (SELECT now_ms FROM clock),
        rate_limited = COALESCE((SELECT q.rate_limit_max IS NOT NULL OR q.partition_rate_limit_max IS NOT NULL FROM queue q),
                             false),
        recovery_attempts = LEAST(COALESCE(s.recovery_attempts, 0), 1000000000) + 1,
        updated_at = (SELECT now_ms FROM clock),
        workflow_deadline_epoch_ms = COALESCE(
            s.workflow_deadline_epoch_ms, (SELECT now_ms FROM clock)
            + CASE WHEN s.workflow_timeout_ms < 1000000000000000 THEN s.workflow_timeout_ms END)
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM chosen)) AND (s.status = 'ENQUEUED') IS TRUE
    RETURNING s.*
), noted AS (
    INSERT INTO {extension}.queue_starts (queue_name, started_at_epoch_ms, workflow_uuid, queue_partition_key)
    SELECT c.queue_name, c.started_at_epoch_ms, c.workflow_uuid, c.queue_partition_key
    FROM claimed c WHERE c.rate_limited
    ON CONFLICT DO NOTHING
), forgotten AS (
    DELETE FROM {extension}.queue_starts t
    WHERE t.queue_name = %(queue_name)s
      AND t.started_at_epoch_ms < (SELECT now_ms FROM clock) - 2000 * GREATEST(
          (SELECT q.rate_limit_period_sec FROM queue q), (SELECT q.partition_rate_limit_period_sec FROM queue q))
)
SELECT c.workflow_uuid AS workflow_id, c.name, c.class_name, c.config_name, c.queue_name, c.serialization,
       COALESCE((SELECT i.inputs FROM {schema}.workflow_input i WHERE i.workflow_uuid = c.workflow_uuid),
                c.inputs) AS inputs,
       c.recovery_attempts,
       (SELECT l.max_recovery_attempts FROM {extension}.workflow_limits l
        WHERE l.workflow_uuid = c.workflow_uuid) AS max_recovery_attempts,
       c.workflow_deadline_epoch_ms AS deadline_ms, c.authenticated_user, c.assumed_role,
       c.authenticated_roles, c.attributes::text AS attributes, c.parent_workflow_id, c.queue_partition_key,
       EXISTS (SELECT FROM {schema}.operation_outputs p WHERE p.workflow_uuid = c.workflow_uuid)
           AS has_history,
       COALESCE((SELECT t.failed FROM {extension}.workflow_attempts t
                 WHERE t.workflow_uuid = c.workflow_uuid AND t.creator_xid IS NOT DISTINCT FROM c.creator_xid), 0)
           AS failed_attempts,
       CASE WHEN c.recovery_attempts = 1 THEN GREATEST(0, c.started_at_epoch_ms
           - GREATEST(c.created_at, c.delay_until_epoch_ms)::float8) / 1000 END AS waited
FROM claimed c
ORDER BY c.priority, c.created_at
