-- What running workflows wait for, for people who ask: written and deleted by their executor's heartbeats, once a wait has
-- lasted a moment. A row is true while its token owns the workflow; those of an executor go with its lease.
-- Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.waits (
    executor_id text NOT NULL,
    place bigint NOT NULL,                          -- the executor's number for it
    nth integer NOT NULL,                           -- of several of which the first ends it
    workflow_uuid text NOT NULL,
    owner_xid text NOT NULL,
    function_id integer NOT NULL,
    kind text NOT NULL,                             -- message, event, result, stream, timer, retry
    id text NOT NULL,                               -- the workflow whose event, result or stream it is
    key text NOT NULL,                              -- topic, event, stream or step
    until_epoch_ms bigint,                          -- when it gives up, or is over
    since timestamptz NOT NULL,
    PRIMARY KEY (executor_id, place, nth)
);

CREATE INDEX IF NOT EXISTS waits_workflow_index ON {extension}.waits (workflow_uuid);
