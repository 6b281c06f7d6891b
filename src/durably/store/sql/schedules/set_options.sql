-- How a schedule that was put just now, in this transaction, is kept. Index: the unique name, the primary key.
INSERT INTO {extension}.schedule_options AS o (schedule_id, catch_up_seconds, jitter_seconds, overlap)
SELECT s.schedule_id, %(catch_up)s, %(jitter)s, %(overlap)s
FROM {schema}.workflow_schedules s
WHERE s.schedule_name = %(schedule_name)s
  AND (s.schedule_id = %(schedule_id)s OR %(replace)s AND (
      s.application_name IS NULL OR s.application_name = %(application_name)s))
ON CONFLICT (schedule_id) DO UPDATE
SET catch_up_seconds = EXCLUDED.catch_up_seconds, jitter_seconds = EXCLUDED.jitter_seconds, overlap = EXCLUDED.overlap
