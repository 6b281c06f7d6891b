-- Which workflow an executor tries by itself, so that a death of its process is blamed on that one alone: NULL, it
-- tries none; '', whoever runs here is not to blame. Locks: only its own table, for an instant.
ALTER TABLE {extension}.executors ADD COLUMN IF NOT EXISTS on_trial text;
