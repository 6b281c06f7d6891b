-- Which application a row of workflow_schedules belongs to.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.workflow_schedules ADD COLUMN IF NOT EXISTS application_name text;
