-- Sets the session's timeouts and returns what they were: a role's statement_timeout would kill the build of a large
-- index. Locks: none.
WITH before AS MATERIALIZED (
    SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock
)
SELECT
    statement, lock,
    set_config('statement_timeout', %(statement)s, false),
    set_config('lock_timeout', %(lock)s, false)
FROM before
