-- Workflows that were set aside because what they recorded does not fit the code, and which code an application had.
-- Locks: only what it creates.

-- One row per stranded workflow; those of workflows that ended since are swept. In workflow_status such a workflow is
-- DELAYED for ever, so that nobody takes it. Once released it is ENQUEUED, for executors whose code is not in `met`.
CREATE TABLE IF NOT EXISTS {extension}.stranded_workflows (
    workflow_uuid text NOT NULL,
    application_name text NOT NULL,
    function_id integer NOT NULL,                   -- the first operation that differs
    asked text NOT NULL,                            -- what the code asked for there
    recorded text NOT NULL,                         -- what is recorded there
    difference text NOT NULL,                       -- the same, told to a person
    code text NOT NULL,                             -- fingerprint of the code that met it last
    code_changed boolean NOT NULL,                  -- whether other code may have made the record
    met text[] NOT NULL,                            -- every code that met it in vain
    executor_id text NOT NULL,
    stranded_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    PRIMARY KEY (workflow_uuid)
);

-- An application's, in order of time.
CREATE INDEX IF NOT EXISTS stranded_workflows_index ON {extension}.stranded_workflows (application_name, stranded_at);

-- Those that a claim has to leave to others: hardly ever any.
CREATE INDEX IF NOT EXISTS stranded_workflows_released_index ON {extension}.stranded_workflows (application_name)
    WHERE released_at IS NOT NULL;

-- One row for each code that executors of an application had.
CREATE TABLE IF NOT EXISTS {extension}.application_code (
    application_name text NOT NULL,
    code text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application_name, code)
);
