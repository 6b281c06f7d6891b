-- Payloads get tables of their own. Nothing is moved: readers look here first, then into workflow_status.
-- Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {schema}.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    PRIMARY KEY (workflow_uuid)
);
CREATE INDEX IF NOT EXISTS idx_workflow_input_retention ON {schema}.workflow_input (retention_timestamp);

CREATE TABLE IF NOT EXISTS {schema}.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000.0)::bigint NOT NULL,
    PRIMARY KEY (workflow_uuid)
);
CREATE INDEX IF NOT EXISTS idx_workflow_output_retention ON {schema}.workflow_output (retention_timestamp);
