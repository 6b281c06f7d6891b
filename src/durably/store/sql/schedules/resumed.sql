-- A schedule is resumed now: what it missed in its pause is not caught up. Index: the unique name, the primary key.
UPDATE {extension}.schedule_options SET since = clock_timestamp()
WHERE schedule_id = (SELECT schedule_id FROM {schema}.workflow_schedules WHERE schedule_name = %(schedule_name)s)
