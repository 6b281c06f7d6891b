-- Says which workflow this executor tries by itself: by its id, or, if a death would be its last, by
-- its owner token, a colon and its id; see executors/adopt. Index: the primary key.
UPDATE {extension}.executors SET on_trial = %(blamed)s WHERE executor_id = %(executor_id)s
