-- What DBOS has no table for about queues: who paused one, and the starts that count against rate limits. No foreign
-- keys: a queue may be paused before it is registered, and a start counts whatever becomes of its workflow.
-- Locks: only what it creates.

-- A queue that is paused everywhere (executor_id '') or on one executor.
CREATE TABLE IF NOT EXISTS {extension}.queue_controls (
    queue_name text NOT NULL,
    executor_id text NOT NULL,
    reason text,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (queue_name, executor_id)
);

-- One row per start under a rate limit, until it leaves the window. A row of workflow_status forgets its start when
-- the workflow is recovered, cancelled or resumed; the limit is one of starts, so it must not.
CREATE TABLE IF NOT EXISTS {extension}.queue_starts (
    queue_name text NOT NULL,
    started_at_epoch_ms bigint NOT NULL,
    workflow_uuid text NOT NULL,
    queue_partition_key text,
    PRIMARY KEY (queue_name, started_at_epoch_ms, workflow_uuid)
);

-- The starts of one partition in its window.
CREATE INDEX IF NOT EXISTS queue_starts_partition_index
    ON {extension}.queue_starts (queue_name, queue_partition_key, started_at_epoch_ms);
