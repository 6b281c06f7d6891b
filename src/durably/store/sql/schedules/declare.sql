-- Remembers what code declares of a schedule that was put just now, in this transaction.
-- Index: the unique name, the primary key.
INSERT INTO {extension}.declared_schedules (schedule_id, declaration)
SELECT s.schedule_id, %(declaration)s::jsonb
FROM {schema}.workflow_schedules s
WHERE s.schedule_name = %(schedule_name)s AND s.application_name = %(application_name)s
ON CONFLICT (schedule_id) DO UPDATE SET declaration = EXCLUDED.declaration, declared_at = clock_timestamp()
