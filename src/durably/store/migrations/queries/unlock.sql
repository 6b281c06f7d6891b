-- Gives the migration lock back.
SELECT pg_advisory_unlock(1234567890)
