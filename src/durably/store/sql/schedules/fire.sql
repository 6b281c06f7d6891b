-- What becomes of ticks, one of a schedule, by the database's clock: 'early' and for how long still; 'past', because it
-- was decided about, or the schedule has changed; 'skipped', because a run goes on that must not overlap; or 'fired'.
-- A decision moves `last_fired_at`, in the same transaction as the run's row and its input; an id that exists (a DBOS
-- process was first) is left alone. `last_fired_at` is anybody's text: only what is an instant for certain counts.
-- A run that goes on is any of the schedule's: of a tick, triggered or backfilled, by us or by a DBOS process. What is
-- known of them is in schedule_runs; beside it, what runs, and what was made since the last look (a minute before it, for
-- commits under way) are asked for. Without a look in the last minute, all runs of the schedule are: those are few then.
-- Locks: schedules/lock before it. Index: primary keys; application_versions by owner and timestamp; pending, created_at,
-- schedule_name.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        schedule_id text, schedule text, cron_timezone text, workflow_id text, tick text, due float8, overlap text,
        inputs text)
), clock AS MATERIALIZED (
    SELECT EXTRACT(epoch FROM clock_timestamp())::float8 AS now
), kept AS MATERIALIZED (
    SELECT s.schedule_id, s.schedule_name, s.workflow_name, NULLIF(s.workflow_class_name, '') AS class_name, s.schedule,
           s.cron_timezone, COALESCE(s.queue_name, '_dbos_internal_queue') AS queue_name,
           COALESCE(s.application_name, %(application_name)s) AS owner,
           CASE WHEN s.last_fired_at ~ ('^\d{4}-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)'
                                        '|(0[13578]|1[02])-31)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?'
                                        '(Z|[+-](0\d|1[0-3]):[0-5]\d)$')
                THEN s.last_fired_at::timestamptz END AS last
    FROM {schema}.workflow_schedules s
    WHERE s.schedule_id = ANY (ARRAY(SELECT schedule_id FROM asked)) AND (s.status = 'ACTIVE') IS TRUE
), limited AS MATERIALIZED (
    SELECT k.schedule_id, k.schedule_name,
           (SELECT EXTRACT(epoch FROM o.looked_at - interval '1 minute') * 1000 FROM {extension}.schedule_options o
            WHERE o.schedule_id = k.schedule_id AND o.looked_at > clock_timestamp() - interval '1 minute'
           )::bigint AS since_ms
    FROM kept k
    WHERE k.schedule_id = ANY (ARRAY(SELECT schedule_id FROM asked WHERE overlap <> 'allow'))
), unfinished AS MATERIALIZED (
    SELECT l.schedule_id, r.workflow_uuid
    FROM limited l, LATERAL (
        SELECT k.workflow_uuid FROM {extension}.schedule_runs k WHERE k.schedule_id = l.schedule_id OFFSET 0) r,
    LATERAL (SELECT s.status FROM {schema}.workflow_status s WHERE s.workflow_uuid = r.workflow_uuid OFFSET 0) w
    WHERE w.status IN ('ENQUEUED', 'DELAYED', 'PENDING')
    UNION
    SELECT l.schedule_id, r.workflow_uuid
    FROM limited l, LATERAL (
        SELECT s.workflow_uuid FROM {schema}.workflow_status s
        WHERE s.status = 'PENDING' AND (s.schedule_name = l.schedule_name) IS TRUE AND l.since_ms IS NOT NULL OFFSET 0) r
    UNION
    SELECT l.schedule_id, r.workflow_uuid
    FROM limited l, LATERAL (
        SELECT s.workflow_uuid FROM {schema}.workflow_status s
        WHERE s.created_at >= l.since_ms AND (s.schedule_name = l.schedule_name) IS TRUE
          AND (s.status IN ('ENQUEUED', 'DELAYED')) IS TRUE OFFSET 0) r
    UNION
    SELECT l.schedule_id, r.workflow_uuid
    FROM limited l, LATERAL (
        SELECT s.workflow_uuid FROM {schema}.workflow_status s
        WHERE s.schedule_name = l.schedule_name AND l.since_ms IS NULL
          AND (s.status IN ('ENQUEUED', 'DELAYED', 'PENDING')) IS TRUE OFFSET 0) r
), judged AS MATERIALIZED (
    SELECT a.*, k.schedule_name, k.workflow_name, k.class_name, k.queue_name, k.owner, a.due - c.now AS wait,
           CASE WHEN k.schedule_id IS NULL OR k.last >= a.tick::timestamptz THEN 'past'
                WHEN a.due > c.now THEN 'early'
                WHEN a.overlap <> 'allow' AND going.runs >= CASE a.overlap WHEN 'buffer_one' THEN 2 ELSE 1 END
                THEN 'skipped'
                ELSE 'fired' END AS outcome
    FROM clock c, asked a
    LEFT JOIN kept k ON k.schedule_id = a.schedule_id AND k.schedule = a.schedule
                    AND k.cron_timezone IS NOT DISTINCT FROM a.cron_timezone
    LEFT JOIN LATERAL (
        SELECT count(*) AS runs FROM unfinished u
        WHERE u.schedule_id = a.schedule_id AND u.workflow_uuid <> a.workflow_id OFFSET 0
    ) going ON true
), made AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, queue_name, application_version, application_name, schedule_name,
        priority, recovery_attempts)
    SELECT j.workflow_id, 'ENQUEUED', j.workflow_name, j.class_name, j.queue_name,
           (SELECT v.version_name FROM {schema}.application_versions v
            WHERE v.application_name = j.owner OR v.application_name IS NULL
            ORDER BY v.version_timestamp DESC LIMIT 1), j.owner, j.schedule_name, 0, 0
    FROM judged j WHERE j.outcome = 'fired'
    ON CONFLICT (workflow_uuid) DO NOTHING
    RETURNING workflow_uuid, queue_name
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT j.workflow_id, j.inputs FROM judged j JOIN made m ON m.workflow_uuid = j.workflow_id
    ON CONFLICT (workflow_uuid) DO NOTHING
), moved AS (
    UPDATE {schema}.workflow_schedules s SET last_fired_at = j.tick
    FROM judged j
    WHERE s.schedule_id = ANY (ARRAY(SELECT schedule_id FROM judged WHERE outcome IN ('fired', 'skipped')))
      AND j.schedule_id = s.schedule_id
), ended AS (
    DELETE FROM {extension}.schedule_runs r
    WHERE r.schedule_id = ANY (ARRAY(SELECT schedule_id FROM asked)) AND COALESCE((
        SELECT s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
        FROM {schema}.workflow_status s WHERE s.workflow_uuid = r.workflow_uuid), true)
), going AS (
    INSERT INTO {extension}.schedule_runs (schedule_id, workflow_uuid)
    SELECT schedule_id, workflow_uuid FROM unfinished
    UNION
    SELECT j.schedule_id, j.workflow_id FROM judged j WHERE j.overlap <> 'allow' AND j.outcome = 'fired'
    ON CONFLICT DO NOTHING
), looked AS (
    UPDATE {extension}.schedule_options o SET looked_at = c.now_at
    FROM (SELECT clock_timestamp() AS now_at) c
    WHERE o.schedule_id = ANY (ARRAY(SELECT schedule_id FROM limited))
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM made WHERE octet_length(queue_name) < 7900) q
)
SELECT j.schedule_id, j.outcome, j.wait, notices FROM judged j, told
