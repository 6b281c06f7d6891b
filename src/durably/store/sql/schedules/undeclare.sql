-- What was declared of schedules that exist no more. Index: the primary keys; the tables are small.
DELETE FROM {extension}.declared_schedules
WHERE schedule_id NOT IN (SELECT schedule_id FROM {schema}.workflow_schedules)
