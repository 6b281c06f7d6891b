-- Which operation consumed a message, so that a fork can give it back.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.notifications ADD COLUMN IF NOT EXISTS consumed_by_function_id integer;
