-- Deletes a schedule; its runs stay. Index: the unique name. The notice tells executors to look.
DELETE FROM {schema}.workflow_schedules WHERE schedule_name = %(schedule_name)s
RETURNING schedule_id,
          CASE WHEN octet_length(schedule_name) < 7900 THEN pg_notify('durably', 's::' || schedule_name) END AS told
