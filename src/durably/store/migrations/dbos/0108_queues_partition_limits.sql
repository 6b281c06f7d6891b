-- Limits that hold for each partition of a queue.
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.queues
    ADD COLUMN IF NOT EXISTS partition_concurrency integer,
    ADD COLUMN IF NOT EXISTS partition_worker_concurrency integer,
    ADD COLUMN IF NOT EXISTS partition_rate_limit_max integer,
    ADD COLUMN IF NOT EXISTS partition_rate_limit_period_sec double precision;
