-- What code declared of schedules. Index: the primary key.
SELECT schedule_id, declaration::text AS declaration
FROM {extension}.declared_schedules
WHERE schedule_id = ANY (%(schedule_ids)s::text[])
