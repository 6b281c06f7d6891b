-- Whether code has declared a schedule so before, and it is there still. Index: the unique name, the primary key.
SELECT s.schedule_id
FROM {schema}.workflow_schedules s
WHERE s.schedule_name = %(schedule_name)s AND s.application_name = %(application_name)s AND EXISTS (
    SELECT FROM {extension}.declared_schedules d
    WHERE d.schedule_id = s.schedule_id AND d.declaration = %(declaration)s::jsonb OFFSET 0)
