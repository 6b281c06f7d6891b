-- What an enqueuing client asked for and DBOS has no column for. No foreign key: a row may be older or younger than
-- its workflow's.
-- Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.workflow_limits (
    workflow_uuid text NOT NULL,
    max_recovery_attempts integer NOT NULL,         -- claims after which the workflow is set aside
    PRIMARY KEY (workflow_uuid)
);
