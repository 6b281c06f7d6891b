-- What was kept of schedules that exist no more. Index: the primary keys; the tables are small.
WITH runs AS (
    DELETE FROM {extension}.schedule_runs
    WHERE schedule_id NOT IN (SELECT schedule_id FROM {schema}.workflow_schedules)
), notes AS (
    DELETE FROM {extension}.schedule_notes
    WHERE schedule_id NOT IN (SELECT schedule_id FROM {schema}.workflow_schedules)
)
DELETE FROM {extension}.schedule_options
WHERE schedule_id NOT IN (SELECT schedule_id FROM {schema}.workflow_schedules)
