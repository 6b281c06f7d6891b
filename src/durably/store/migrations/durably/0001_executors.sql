-- What DBOS has no table for, in a schema of our own: the executors of applications and their leases.
-- Locks: only what it creates.

-- One row per executor that ever ran here (ended ones are removed by retention). A lease is over when expires_at is
-- past on the database's clock; then any executor of the application may take its work. stopped_at is a clean end.
CREATE TABLE IF NOT EXISTS {extension}.executors (
    executor_id text NOT NULL,
    application_name text NOT NULL,
    application_version text NOT NULL,
    host text NOT NULL,                             -- which machine, and which boot of it
    pid integer,
    process_start text,                             -- with pid: which process, even when the pid is used again
    started_at timestamptz DEFAULT now(),
    heartbeat_at timestamptz,
    expires_at timestamptz NOT NULL,
    lease_seconds double precision NOT NULL,
    stopped_at timestamptz,
    PRIMARY KEY (executor_id)
);

-- Expired leases of one application.
CREATE INDEX IF NOT EXISTS executors_expiry_index ON {extension}.executors (application_name, expires_at);
