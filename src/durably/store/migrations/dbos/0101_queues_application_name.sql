-- Which application a row of queues belongs to.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.queues ADD COLUMN IF NOT EXISTS application_name text;
