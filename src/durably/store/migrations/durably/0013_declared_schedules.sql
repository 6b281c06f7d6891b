-- What code declared of schedules, and when runs of those that may not overlap were last looked for.
-- Locks: schedule_options, for a moment, and what it creates.

-- What an application's code declared last; where it says the same again, what was changed at run time stays.
CREATE TABLE IF NOT EXISTS {extension}.declared_schedules (
    schedule_id text PRIMARY KEY,
    declaration jsonb NOT NULL,
    declared_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- NULL: never.
ALTER TABLE {extension}.schedule_options ADD COLUMN IF NOT EXISTS looked_at timestamptz;
