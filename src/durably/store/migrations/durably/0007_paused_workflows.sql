-- Workflows that somebody has paused, and what they were before.
-- Locks: only what it creates.

-- One row per paused workflow. In workflow_status such a workflow is DELAYED until a certain instant that nobody reaches,
-- and that alone makes it paused: a row of one that was resumed, cancelled or delayed otherwise since tells nothing.
CREATE TABLE IF NOT EXISTS {extension}.paused_workflows (
    workflow_uuid text NOT NULL,
    paused_by text NOT NULL,                        -- as told, otherwise the role of the database
    reason text,
    status text NOT NULL,                           -- of the workflow before: ENQUEUED, DELAYED or PENDING
    delay_until_epoch_ms bigint,                    -- of the workflow before
    paused_at timestamptz NOT NULL,
    PRIMARY KEY (workflow_uuid)
);

-- The oldest, to find those that tell nothing any more.
CREATE INDEX IF NOT EXISTS paused_workflows_index ON {extension}.paused_workflows (paused_at);
