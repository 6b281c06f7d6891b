-- Says which workflow this executor tries by itself; see executors/adopt. Index: the primary key.
UPDATE {extension}.executors SET on_trial = %(workflow_id)s WHERE executor_id = %(executor_id)s
