-- The lock under which DBOS applications migrate too (a number of theirs, per database). Tried, never waited for: a
-- waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY of the holder waits for every snapshot.
SELECT pg_try_advisory_lock(1234567890)
