-- Pauses or resumes a schedule; no row: there is none. Index: the unique name. The notice tells executors to look.
UPDATE {schema}.workflow_schedules SET status = %(status)s WHERE schedule_name = %(schedule_name)s
RETURNING schedule_id,
          CASE WHEN octet_length(schedule_name) < 7900 THEN pg_notify('durably', 's::' || schedule_name) END AS told
