-- What a step that is under way has saved, for its next attempt. Rows go with the step's outcome.
-- Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.step_progress (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    progress text NOT NULL,
    serialization text NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (workflow_uuid, function_id)
);
