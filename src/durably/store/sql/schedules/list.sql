-- Schedules by name; of an application also those of none. They are few: the table is read as a whole.
SELECT schedule_id, schedule_name, workflow_name, workflow_class_name, schedule, status, context, last_fired_at,
       automatic_backfill, cron_timezone, queue_name, application_name
FROM {schema}.workflow_schedules
WHERE (%(schedule_name)s::text IS NULL OR schedule_name = %(schedule_name)s)
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(workflow_name)s::text IS NULL OR workflow_name = %(workflow_name)s)
  AND (%(prefix)s::text IS NULL OR starts_with(schedule_name, %(prefix)s))
  AND (%(application_name)s::text IS NULL OR application_name = %(application_name)s OR application_name IS NULL)
ORDER BY schedule_name
