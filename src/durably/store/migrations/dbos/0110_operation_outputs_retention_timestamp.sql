-- When retention may remove a step; for the steps that are there, counted from now.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.operation_outputs
    ADD COLUMN IF NOT EXISTS retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL;
