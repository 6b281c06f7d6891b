-- Which application a row of operation_outputs belongs to.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.operation_outputs ADD COLUMN IF NOT EXISTS application_name text;
