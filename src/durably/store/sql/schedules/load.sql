-- The schedules that an application keeps: its own and those of none, with how they are kept. They are few: the tables
-- are read as a whole.
SELECT s.schedule_id, s.schedule_name, s.workflow_name, NULLIF(s.workflow_class_name, '') AS workflow_class_name,
       s.schedule, s.cron_timezone, s.context, s.automatic_backfill, s.last_fired_at,
       COALESCE(o.catch_up_seconds, 0) AS catch_up, COALESCE(o.jitter_seconds, 0) AS jitter,
       COALESCE(o.overlap, 'allow') AS overlap, EXTRACT(epoch FROM o.since)::float8 AS since, n.note
FROM {schema}.workflow_schedules s
LEFT JOIN {extension}.schedule_options o ON o.schedule_id = s.schedule_id
LEFT JOIN {extension}.schedule_notes n ON n.schedule_id = s.schedule_id
WHERE s.status = 'ACTIVE' AND (s.application_name = %(application_name)s OR s.application_name IS NULL)
ORDER BY s.schedule_id
