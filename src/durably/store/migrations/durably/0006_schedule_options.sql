-- What DBOS has no table for about schedules. No foreign keys: DBOS's clients delete schedules, and know nothing of this.
-- Locks: only what it creates.

-- How a schedule is kept; one without a row is kept as DBOS keeps it: no catching up, no jitter, runs may overlap.
CREATE TABLE IF NOT EXISTS {extension}.schedule_options (
    schedule_id text PRIMARY KEY,
    catch_up_seconds double precision NOT NULL,
    jitter_seconds double precision NOT NULL,
    overlap text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()  -- created or resumed: ticks before are nobody's
);

-- Runs of schedules that may not overlap, while they go on.
CREATE TABLE IF NOT EXISTS {extension}.schedule_runs (
    schedule_id text NOT NULL,
    workflow_uuid text NOT NULL,
    PRIMARY KEY (schedule_id, workflow_uuid)
);

-- Why an application's executors cannot keep a schedule, or its runs would wait.
CREATE TABLE IF NOT EXISTS {extension}.schedule_notes (
    schedule_id text PRIMARY KEY,
    note text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
