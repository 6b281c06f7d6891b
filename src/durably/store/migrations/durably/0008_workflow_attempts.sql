-- How often workflows with a `retry` have failed, and were tried again. `creator_xid` is that of workflow_status then: a
-- resume or a rewind sets another one, and the count begins anew. Rows of workflows that ended are swept.
-- Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.workflow_attempts (
    workflow_uuid text NOT NULL,
    creator_xid text,
    failed integer NOT NULL,
    error text NOT NULL,                            -- of the last attempt, as the workflow's outcome would be encoded
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (workflow_uuid)
);
