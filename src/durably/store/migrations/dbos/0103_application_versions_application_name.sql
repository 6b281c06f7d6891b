-- Which application a row of application_versions belongs to.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.application_versions ADD COLUMN IF NOT EXISTS application_name text;
