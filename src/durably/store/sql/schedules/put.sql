-- Creates a schedule or, with `replace`, sets what it does and keeps its id, status and last time; no row: another
-- statement has just created it. As DBOS: one without an owner gets ours, another application's stays as it is.
-- Index: the unique name. The notice tells executors to look.
WITH put AS (
    INSERT INTO {schema}.workflow_schedules AS s (
        schedule_id, schedule_name, workflow_name, workflow_class_name, schedule, status, context,
        automatic_backfill, cron_timezone, queue_name, application_name)
    VALUES (%(schedule_id)s, %(schedule_name)s, %(workflow_name)s, %(workflow_class_name)s, %(schedule)s, 'ACTIVE',
            %(context)s, %(automatic_backfill)s, %(cron_timezone)s, %(queue_name)s, %(application_name)s)
    ON CONFLICT (schedule_name) DO UPDATE
    SET workflow_name = EXCLUDED.workflow_name, workflow_class_name = EXCLUDED.workflow_class_name,
        schedule = EXCLUDED.schedule, context = EXCLUDED.context, automatic_backfill = EXCLUDED.automatic_backfill,
        cron_timezone = EXCLUDED.cron_timezone, queue_name = EXCLUDED.queue_name,
        application_name = COALESCE(s.application_name, EXCLUDED.application_name)
    WHERE %(replace)s AND (s.application_name IS NULL OR s.application_name = EXCLUDED.application_name)
    RETURNING s.schedule_id, s.application_name
)
SELECT p.schedule_id, p.application_name, true AS is_written,
       CASE WHEN octet_length(%(schedule_name)s) < 7900 THEN pg_notify('durably', 's::' || %(schedule_name)s) END AS told
FROM put p
UNION ALL
SELECT s.schedule_id, s.application_name, false, NULL
FROM {schema}.workflow_schedules s
WHERE s.schedule_name = %(schedule_name)s AND (SELECT count(*) FROM put) = 0
